/** redlock 5.0.0-beta.2 names no types in its exports (TS7016); this is what we use of it. */
declare module 'redlock' {
  /** What redlock asks of a client; our own adapter is one. */
  export interface ScriptClient {
    evalsha(hash: string, numberOfKeys: number, args: readonly (string | number)[]): Promise<unknown>;
    eval(script: string, numberOfKeys: number, args: readonly (string | number)[]): Promise<unknown>;
  }
  export class ExecutionError extends Error {
    readonly attempts: readonly Promise<{ readonly votesAgainst: ReadonlyMap<unknown, Error> }>[];
  }
  export class Lock {
    constructor(redlock: Redlock, resources: string[], value: string, attempts: unknown[], expiration: number);
    readonly resources: string[];
    readonly value: string;
    expiration: number;
  }
  export interface Scripts {
    readonly acquireScript: (original: string) => string;
    readonly extendScript: (original: string) => string;
    readonly releaseScript: (original: string) => string;
  }
  export default class Redlock {
    constructor(clients: Iterable<ScriptClient>, settings: { retryCount: number }, scripts?: Scripts);
    on(event: 'error', listener: (error: Error) => void): this;
    acquire(resources: string[], durationMs: number): Promise<Lock>;
    extend(lock: Lock, durationMs: number): Promise<Lock>;
    release(lock: Lock): Promise<unknown>;
  }
}
