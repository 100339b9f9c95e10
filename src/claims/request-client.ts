/** What redlock takes for a Redis client: it adds a request to a script's arguments and keeps the whole answer. */

import type { ScriptClient } from 'redlock';
import type { Connection } from '../redis/connect.ts';

/** A script's whole answer; redlock sees only the first element. */
export type Reply = readonly (string | number)[];

/** One acquire or release, with what redlock does not tell of it. */
export interface Call {
  readonly kind: 'acquire' | 'release';
  /** What its script gets beside redlock's own arguments. */
  readonly args: readonly string[];
  asked: boolean;
  reply: Reply | undefined;
  /** What redlock's own release answered after an acquire whose answer did not come. */
  cleanUp: Reply | undefined;
}

type Send = (args: (string | number)[]) => Promise<unknown>;

/** The client. Calls are told apart by their first key, the holder's record. */
export class RequestClient implements ScriptClient {
  readonly #redis: Connection;
  readonly #settings: string;
  readonly #cleanUpSettings: string;
  readonly #calls = new Map<string, Call>();

  /** The settings go to the scripts that have no argument of their own. */
  constructor(redis: Connection, { keepAfterMs }: { readonly keepAfterMs: number }) {
    this.#redis = redis;
    this.#settings = JSON.stringify({ keepAfterMs });
    this.#cleanUpSettings = JSON.stringify({ keepAfterMs, isUnused: true });
  }

  /** Prepares for the next script on this record. A holder has one such call at a time. */
  expect(record: string, { kind, args = [this.#settings] }: Pick<Call, 'kind'> & Partial<Call>): Call {
    const call: Call = { kind, args, asked: false, reply: undefined, cleanUp: undefined };
    this.#calls.set(record, call);
    return call;
  }

  forget(record: string): void {
    this.#calls.delete(record);
  }

  evalsha(hash: string, count: number, args: Reply): Promise<unknown> {
    return this.#answer(args, (all) => this.#redis.evalsha(hash, count, ...all));
  }

  eval(script: string, count: number, args: Reply): Promise<unknown> {
    return this.#answer(args, (all) => this.#redis.eval(script, count, ...all));
  }

  async #answer(args: Reply, send: Send): Promise<unknown> {
    const call = this.#calls.get(String(args[0]));
    if (call === undefined) return await send([...args, this.#settings]);
    // After an acquire redlock speaks a second time only to clean up.
    if (call.kind === 'acquire' && call.asked) return await this.#cleanUp(call, args, send);
    call.asked = true;
    try {
      call.reply = asReply(await send([...args, ...call.args]));
      return call.reply[0];
    } catch (error) {
      // Redis did not know the script: redlock sends it whole now, which is the same request.
      call.asked = !isUnknownScript(error);
      throw error;
    }
  }

  /** A refused claim holds nothing; only after an acquire without an answer is there anything to give back. */
  async #cleanUp(call: Call, args: Reply, send: Send): Promise<unknown> {
    if (call.reply !== undefined) return 0;
    call.cleanUp = asReply(await send([...args, this.#cleanUpSettings]));
    return call.cleanUp[0];
  }
}

function asReply(value: unknown): Reply {
  return Array.isArray(value) ? (value as (string | number)[]) : [value as number];
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}
