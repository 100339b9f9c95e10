import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { SignalboxError } from '../../errors.ts';
import { endOf, startOwnProgram } from '../../own-program.ts';
import { ClientRun, type SupervisedRun } from './client-run.ts';
import { deadlineIn } from './clock.ts';
import { DEFAULT_PATH } from './isolation.ts';
import type { Answer, Isolation, Request } from './protocol.ts';
import { Replies, type Reply } from './replies.ts';

export type { SupervisedRun } from './client-run.ts';
export type { Isolation, StepLimits, StepOptions, StepResult } from './protocol.ts';

/** How to start a supervisor. */
export interface SupervisorOptions {
  /** The worker's environment. The supervisor gets nothing of it but where to find programs and put its pipes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The best isolation to try; default `pidns`, which falls back to `group` where it is not allowed. */
  readonly isolation?: Isolation['level'];
  /** A supervisor that acknowledges nothing for this long is killed, and all its runs with it. */
  readonly answerMs: number;
  /** Called once when the process has ended, asked for or not; `exited` tells the same. */
  readonly onExit?: (exit: SupervisorExit) => void;
}

/** How the supervisor's process ended. */
export interface SupervisorExit {
  /** True if `stop` asked for it. */
  readonly expected: boolean;
  /** One clause for logs, as `it was killed by SIGKILL`. */
  readonly reason: string;
}

/** The process that stands between a worker and its steps, seen from the worker. */
export interface Supervisor {
  readonly pid: number;
  readonly isolation: Isolation;
  /** Resolves when the process has ended. If nobody asked for that, its runs are over: `close` confirms their death. */
  readonly exited: Promise<SupervisorExit>;
  /** Begins a run, whose id is unique on the host. It dies `deadlineMs` from now unless it is extended. */
  openRun(opts: { readonly runId: string; readonly deadlineMs: number }): SupervisedRun;
  /** Kills all runs and ends the process. */
  stop(): Promise<void>;
}

/**
 * Starts a supervisor and waits until it is ready. Throws `INTERNAL` if it ends before. After an unexpected exit this
 * can be called anew; the runs of the old one have ended with the outcome `killed`.
 */
export async function startSupervisor(opts: SupervisorOptions): Promise<Supervisor> {
  const client = new Client(startProgram(opts), opts);
  await client.ready;
  return client;
}

class Client implements Supervisor {
  readonly exited: Promise<SupervisorExit>;
  readonly ready: Promise<void>;
  isolation: Isolation = { level: 'group', detail: 'not known yet', cgroup: null };
  readonly #child: ChildProcess;
  readonly #replies: Replies;
  readonly #runs = new Map<string, ClientRun>();
  #stopping = false;

  constructor(child: ChildProcess, { answerMs, onExit }: SupervisorOptions) {
    this.#child = child;
    this.#replies = new Replies(answerMs, () => child.kill('SIGKILL'));
    this.exited = endOf(child).then((reason) => ({ expected: this.#stopping, reason }));
    this.ready = new Promise((resolve, reject) => {
      child.on('message', (message) => this.#hear(message as Answer, resolve));
      void this.exited.then(({ reason }) => reject(notStarted(reason)));
    });
    void this.exited.then((exit) => {
      this.#replies.abandon(exit.reason);
      onExit?.(exit);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  openRun({ runId, deadlineMs }: { readonly runId: string; readonly deadlineMs: number }): SupervisedRun {
    const run = new ClientRun(runId, (request) => this.#ask(request));
    this.#runs.set(runId, run);
    void this.#ask({ do: 'open', runId, deadline: deadlineIn(deadlineMs) });
    return run;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ask({ do: 'stop' });
    if (this.#child.connected) this.#child.disconnect();
    await this.exited;
  }

  async #ask(request: Request): Promise<Reply> {
    // A failure to send shows as the process's end.
    const reply = await this.#replies.expect((id) => this.#child.send({ ...request, id }, () => {}));
    if (request.do === 'close') this.#runs.delete(request.runId);
    return reply;
  }

  #hear(answer: Answer, becomeReady: () => void): void {
    switch (answer.say) {
      case 'ready':
        this.isolation = answer.isolation;
        return becomeReady();
      case 'seen':
        return this.#replies.seen(answer.id);
      case 'done':
        return this.#replies.done(answer.id, answer.result);
      case 'started':
        return this.#runs.get(answer.runId)?.started(answer.pid);
    }
  }
}

function startProgram({ env, isolation = 'pidns' }: SupervisorOptions): ChildProcess {
  const { PATH = DEFAULT_PATH, TMPDIR = tmpdir() } = env;
  return startOwnProgram({
    name: 'supervisor',
    args: [isolation, PATH],
    env: { PATH, TMPDIR },
    output: ['ignore', 'pipe'],
  });
}

function notStarted(reason: string): SignalboxError {
  return new SignalboxError('INTERNAL', `the supervisor of this worker did not start: ${reason}`, {
    next: 'Run `signalbox doctor` on this host, and report its answer together with this message.',
  });
}
