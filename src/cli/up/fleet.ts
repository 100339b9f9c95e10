/**
 * The worker processes of `up`: started, started again when they die, and stopped.
 *
 *   starting → ready → (died → waiting → starting)* → stopping or drained → gone
 *
 * Each has a session of its own, so that a terminal's Ctrl-C reaches `up` alone, and a channel to `up`, whose end tells
 * it that `up` is gone, however that died.
 */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, SignalboxError } from '../../errors.ts';
import { startOwnProgram } from '../../own-program.ts';

/** What the workers are. */
export interface FleetOptions {
  readonly count: number;
  /** Their environment, which holds their configuration. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where each writes its log: `<folder>/worker-<n>.log`. */
  readonly logFolder: string;
  /** How long they drain, as their environment says. */
  readonly drainMs: number;
  /** Told to people. */
  readonly note: (text: string) => void;
  /** Ends the start. */
  readonly signal: AbortSignal;
}

/** The workers, running. */
export interface Fleet {
  /** Drains all; resolves when their processes are gone. May be called more than once. */
  stop(): Promise<void>;
  /** Ends the patience of a stop under way. */
  hurry(): void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A worker that lived so long did not die of its start. */
const HEALTHY_MS = 60_000;
/** How long a worker may take beyond its patience before it is killed. */
const KILL_AFTER_MS = 20_000;

/** Starts the workers; resolves when all take tasks. Throws what the first one to fail says, with none left. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const members = Array.from({ length: options.count }, (_, i) => new Member(i + 1, options));
  const fleet = {
    stop: async () => void (await Promise.all(members.map((member) => member.stop()))),
    hurry: () => members.forEach((member) => member.signal()),
  };
  options.signal.addEventListener('abort', () => void fleet.stop(), { once: true });
  try {
    options.signal.throwIfAborted();
    await Promise.all(members.map((member) => member.start()));
    return fleet;
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

type Message = { readonly ready: string } | { readonly error: ReturnType<SignalboxError['toJSON']> };

class Member {
  readonly #name: string;
  readonly #log: string;
  readonly #options: FleetOptions;
  #child: ChildProcess | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #pause: NodeJS.Timeout | undefined;
  #late: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #stopping = false;

  constructor(number: number, options: FleetOptions) {
    this.#name = `worker-${number}`;
    this.#log = join(options.logFolder, `${this.#name}.log`);
    this.#options = options;
  }

  /** Starts it for the first time. */
  async start(): Promise<void> {
    // What it said the time before is kept, once.
    await rename(this.#log, `${this.#log}.previous`).catch(() => {});
    const child = this.#launch();
    await becomesReady(child, this.#log);
    child.once('exit', () => this.#died());
    if (child.exitCode !== null || child.signalCode !== null) this.#died();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#pause);
    if (!this.#stopping) {
      this.#stopping = true;
      this.signal();
      const { drainMs } = this.#options;
      this.#late = setTimeout(() => this.#child?.kill('SIGKILL'), drainMs + KILL_AFTER_MS);
    }
    await this.#gone;
    clearTimeout(this.#late);
  }

  /** The first signal drains the worker, the second hurries it. */
  signal(): void {
    this.#child?.kill('SIGTERM');
  }

  #launch(): ChildProcess {
    const log = openSync(this.#log, 'a', 0o600);
    const { env } = this.#options;
    const child = startOwnProgram({ name: 'worker', args: [this.#name], env, output: [log, log] });
    this.#child = child;
    this.#gone = Promise.race([once(child, 'exit'), once(child, 'error')]);
    return child;
  }

  #died(): void {
    if (this.#stopping) return;
    const { exitCode, signalCode } = this.#child ?? {};
    if (exitCode === 0) {
      this.#options.note(`${this.#name} was drained and has left; \`signalbox up\` brings it back.`);
      return;
    }
    const how = signalCode ? `was killed by ${signalCode}` : `ended with exit code ${exitCode}`;
    const pauseMs = this.#pauseMs;
    this.#options.note(`${this.#name} ${how}; it is started again in ${pauseMs / 1000} s. Its log: ${this.#log}`);
    this.#pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    this.#pause = setTimeout(() => this.#again(), pauseMs);
  }

  #again(): void {
    const child = this.#launch();
    const healthy = setTimeout(() => {
      this.#pauseMs = FIRST_PAUSE_MS;
    }, HEALTHY_MS);
    const ended = (): void => {
      clearTimeout(healthy);
      this.#died();
    };
    child.once('exit', ended);
    child.once('error', ended);
  }
}

async function becomesReady(child: ChildProcess, log: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let why: Message | undefined;
    child.once('error', reject);
    child.on('message', (message: Message) => {
      if ('ready' in message) resolve();
      else why = message;
    });
    child.once('exit', () => reject(notStarted(why, log)));
  });
}

function notStarted(why: Message | undefined, log: string): SignalboxError {
  if (why === undefined || !('error' in why)) {
    return new SignalboxError('INTERNAL', 'A worker ended before it took tasks.', { next: `Read why in ${log}.` });
  }
  const { code, message, next, field } = why.error;
  return new SignalboxError(code satisfies ErrorCode, message, { next, ...(field === undefined ? {} : { field }) });
}
