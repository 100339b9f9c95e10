/** A worker in a process of its own: started, stopped, killed and frozen by its process id; its log is read as events. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

/** A line of a worker's log: an event and its fields. */
export interface LoggedEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** How to start a worker. */
export interface WorkerStart {
  /** The compiled program. */
  readonly program: string;
  readonly cwd: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** When a worker stood still, in ms since 1970; without an end it still does. */
export interface Freeze {
  readonly from: number;
  to?: number;
}

/** A worker process that takes tasks. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  /** It has ended, and all that it has said was read. */
  readonly #closed: Promise<unknown>;
  readonly #events: LoggedEvent[] = [];
  /** What it printed that is no event: a crash's stack. */
  readonly complaints: string[] = [];
  /** When it stood still. */
  readonly freezes: Freeze[] = [];
  /** When it was killed or killed itself, in ms since 1970; undefined while it lives, and if it ended in good order. */
  killedAt: number | undefined;
  /** Whether it was told to stop. */
  wasStopped = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = new Promise((resolve) => child.once('close', resolve));
    child.once('exit', (_code, signal) => {
      if (signal === 'SIGKILL') this.killedAt ??= Date.now();
    });
    if (child.stderr === null) throw new Error('the worker has no stderr');
    createInterface({ input: child.stderr }).on('line', (line) => this.#read(line));
  }

  /** Starts a worker; resolves when it takes tasks. */
  static async start({ program, cwd, env }: WorkerStart): Promise<WorkerProcess> {
    const child = spawn(process.execPath, [program], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    const worker = new WorkerProcess(child);
    try {
      await until('a worker has started', () => {
        if (!worker.isAlive) throw new Error(`the worker ended at its start: ${worker.complaints.join('\n')}`);
        return worker.has('worker.started');
      });
    } catch (error) {
      await worker.kill();
      throw error;
    }
    return worker;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The id under which it is registered. */
  get id(): string {
    return String(this.events('worker.started')[0]?.['workerId']);
  }

  /** Everything of one type that it has reported so far, or all. */
  events(type?: string): LoggedEvent[] {
    return type === undefined ? this.#events : this.#events.filter(({ event }) => event === type);
  }

  /** Whether it has reported an event of this type with these fields. */
  has(type: string, fields: Readonly<Record<string, unknown>> = {}): boolean {
    return this.events(type).some((event) => Object.entries(fields).every(([name, value]) => event[name] === value));
  }

  /** SIGTERM: it drains and ends. Answers its exit code. */
  async stop(): Promise<number | null> {
    this.wasStopped = true;
    this.#child.kill('SIGTERM');
    await this.#closed;
    return this.#child.exitCode;
  }

  /** SIGKILL: it ends wherever it is, also when it is frozen. */
  async kill(): Promise<void> {
    if (this.isAlive) this.killedAt ??= Date.now();
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Whether something was done to it that costs it its lease: it was killed, or it stood still. */
  get isHarmed(): boolean {
    return this.killedAt !== undefined || this.freezes.length > 0;
  }

  /** Resolves when it has killed itself, or was killed; rejects if it ended otherwise. */
  async died(): Promise<void> {
    await this.#closed;
    const { signalCode, exitCode } = this.#child;
    if (signalCode !== 'SIGKILL')
      throw new Error(`the worker was to be killed and ended with ${signalCode ?? exitCode}`);
  }

  /** SIGSTOP: it stands still, and does not know. */
  freeze(): void {
    this.freezes.push({ from: Date.now() });
    this.#child.kill('SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child.kill('SIGCONT');
    const last = this.freezes.at(-1);
    if (last !== undefined) last.to ??= Date.now();
  }

  #read(line: string): void {
    try {
      this.#events.push(JSON.parse(line) as LoggedEvent);
    } catch {
      this.complaints.push(line);
    }
  }
}
