/**
 * A small process that starts git for a large one.
 *
 * Starting a process copies the page tables of the one that starts it, and each page that either writes to afterwards. For
 * a worker of 150 MiB that is 5 to 10 ms of its event loop for each git, on which every lease and hand-over waits; for a
 * process that holds nothing but this it is 1.5 ms, beside the worker.
 */

import type { ChildProcess } from 'node:child_process';
import { endOf, startOwnProgram } from '../../own-program.ts';
import { type GitExit, neverRan, type StartGit, signalGroup } from '../git-process.ts';
import type { Answer, Request } from './messages.ts';

/** How long a server may leave an order to end a git unread before it is killed. */
const ANSWER_MS = 10_000;

/** Between asking what still runs to end, and forcing it. */
const FORCE_AFTER_MS = 2_000;

/** Starts git from a process of its own, which is started when first needed and again when it has died. */
export class ForkServer {
  readonly #onDeath: (reason: string) => void;
  #current: Server | undefined;

  /** `onDeath` is told why the process has ended when nobody asked for it: a clause such as `it was killed by SIGKILL`. */
  constructor(onDeath: (reason: string) => void = () => {}) {
    this.#onDeath = onDeath;
  }

  /** Starts git in the server. */
  readonly start: StartGit = (start) => {
    if (this.#current === undefined || this.#current.gone) this.#current = new Server(this.#onDeath);
    return this.#current.start(start);
  };

  /** Ends the server, and before it what it has started and still runs: the upkeep of a mirror, that nobody waits for. */
  async stop(): Promise<void> {
    await this.#current?.stop();
  }
}

interface Pending {
  readonly alone: boolean;
  readonly ended: (exit: GitExit) => void;
  pid: number | undefined;
}

class Server {
  /** Takes no more: it has ended, or is told to. */
  gone = false;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  /** Orders to end a git that were not read yet, by its number. */
  readonly #unread = new Map<number, NodeJS.Timeout>();
  readonly #exited: Promise<void>;
  #lastId = 0;

  constructor(onDeath: (reason: string) => void) {
    this.#child = startOwnProgram({
      name: 'git-fork-server',
      // Each git brings its own.
      env: {},
      output: ['ignore', 'pipe'],
      serialization: 'advanced',
    });
    this.#child.on('message', (answer) => this.#hear(answer as Answer));
    this.#exited = endOf(this.#child).then((reason) => {
      if (!this.gone || this.#pending.size > 0) onDeath(reason);
      this.#abandon(reason);
    });
  }

  readonly start: StartGit = (start) => {
    this.#lastId += 1;
    const id = this.#lastId;
    const ended = new Promise<GitExit>((resolve) => {
      this.#pending.set(id, { alone: start.endsAlone === true, ended: resolve, pid: undefined });
    });
    this.#tell({ do: 'start', id, start });
    return { ended, end: (signal) => this.#end(id, signal) };
  };

  async stop(): Promise<void> {
    if (this.gone) return;
    this.gone = true;
    const endAll = (signal: 'SIGTERM' | 'SIGKILL') => (): void => {
      for (const id of this.#pending.keys()) this.#end(id, signal);
    };
    endAll('SIGTERM')();
    const force = setTimeout(endAll('SIGKILL'), FORCE_AFTER_MS);
    if (this.#pending.size === 0 && this.#child.connected) this.#child.disconnect();
    await this.#exited;
    clearTimeout(force);
  }

  #end(id: number, signal: 'SIGTERM' | 'SIGKILL'): void {
    if (!this.#pending.has(id)) return;
    this.#tell({ do: 'end', id, signal });
    if (this.#unread.has(id)) return;
    // What has come by then is read first: it may be this process that did not run.
    const late = (): void => void setImmediate(() => this.#unread.has(id) && this.#child.kill('SIGKILL'));
    this.#unread.set(id, setTimeout(late, ANSWER_MS));
  }

  #tell(request: Request): void {
    // A failure to send shows as the process's end.
    this.#child.send(request, () => {});
  }

  #hear(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    if (answer.say === 'running') {
      if (pending !== undefined) pending.pid = answer.pid;
      return;
    }
    this.#read(answer.id);
    if (answer.say !== 'ended') return;
    this.#pending.delete(answer.id);
    pending?.ended(answer.exit);
    if (this.gone && this.#pending.size === 0) this.#child.disconnect();
  }

  #read(id: number): void {
    clearTimeout(this.#unread.get(id));
    this.#unread.delete(id);
  }

  /** The process has gone: nobody would learn how what it has started ends, so that it ends now. */
  #abandon(reason: string): void {
    this.gone = true;
    const message = `the process that starts git for this worker has ended: ${reason}`;
    for (const [id, { pid, alone, ended }] of this.#pending) {
      this.#read(id);
      if (alone && pid !== undefined) tryKill(pid);
      else signalGroup(pid, 'SIGKILL');
      ended(pid === undefined ? neverRan(message) : { ...neverRan(message), ran: true });
    }
    this.#pending.clear();
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
