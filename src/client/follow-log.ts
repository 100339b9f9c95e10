/** Follows a task's output from run to run until the task has ended, wherever its worker is. */

import { setTimeout as delay } from 'node:timers/promises';
import type { TaskRecord } from '../queue/record.ts';
import { isTerminal } from '../task/states.ts';
import { tailsOf } from './log-tails.ts';
import { FileGone, type FilePlace, openLog, type TaskFile } from './task-files.ts';

/** What is followed and who takes it. */
export interface FollowOptions extends FilePlace {
  readonly id: string;
  /** Given each part once, in order; awaited, so that a slow taker is not run over. */
  readonly write: (part: Uint8Array | string) => unknown;
  /** Told to people: another run began, or the whole log cannot be reached. */
  readonly note: (text: string) => void;
  /** Called when a run's output follows. */
  readonly onRun?: (run: number) => void;
  readonly signal?: AbortSignal;
}

/** How often a log is looked at; it is a file of another process, perhaps on a file system that tells nothing. */
const LOOK_MS = 200;
/** The same when it comes through Redis. */
const LOOK_AFAR_MS = 600;

/** Follows until the task has ended, or `signal` is aborted; answers its last record. Throws NOT_FOUND or TASK_LOST. */
export async function followLog(options: FollowOptions): Promise<TaskRecord> {
  const { queue, id, note, onRun } = options;
  let record = await queue.get(id);
  if (record.run === 0 && !isTerminal(record.state)) note(`It is ${record.state}; its output follows once it runs.`);
  for (let run = Math.max(1, record.run); ; run += 1) {
    onRun?.(run);
    record = await followRun(options, run);
    if (record.run <= run || options.signal?.aborted === true) return record;
    note(`Run ${run + 1} follows.`);
  }
}

/** Follows one run until the task has ended or has a newer run. */
async function followRun(options: FollowOptions, run: number): Promise<TaskRecord> {
  const { queue, id, signal } = options;
  const output = new RunOutput(options, run);
  try {
    for (;;) {
      // Looked at before the output is: what came until then is all that there will be.
      const record = await queue.get(id);
      await output.take(record);
      if (isTerminal(record.state) || record.run > run || signal?.aborted === true) return record;
      await delay(output.isAfar ? LOOK_AFAR_MS : LOOK_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await output.close();
  }
}

/** The output of one run: its log as it grows; or the ends of its steps, where that cannot be reached. */
class RunOutput {
  readonly #options: FollowOptions;
  readonly #run: number;
  #log: TaskFile | undefined;
  #offset = 0;
  #tails = '';

  constructor(options: FollowOptions, run: number) {
    this.#options = options;
    this.#run = run;
  }

  get isAfar(): boolean {
    return this.#log !== undefined && this.#log.localPath === undefined;
  }

  /** Hands on all that is new. */
  async take(record: TaskRecord): Promise<void> {
    if (this.#log === undefined) {
      const found = await openLog(this.#options, record, this.#run);
      if (found === 'unreachable' && record.run === this.#run) await this.#takeTails(record);
      if (typeof found === 'string') return;
      this.#log = found;
    }
    try {
      await this.#drain(this.#log);
    } catch (error) {
      // It may answer again.
      if (!(error instanceof FileGone)) throw error;
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#log?.close();
    this.#log = undefined;
  }

  async #drain(log: TaskFile): Promise<void> {
    for (;;) {
      const part = await log.read(this.#offset);
      if (part.length === 0 || this.#options.signal?.aborted === true) return;
      this.#offset += part.length;
      await this.#options.write(part);
    }
  }

  async #takeTails(record: TaskRecord): Promise<void> {
    // With a part of the log shown already, the ends of steps would say it twice.
    if (this.#offset > 0) return;
    const tails = tailsOf(record);
    if (this.#tails === '' && tails !== '')
      this.#options.note(
        `The whole log is on ${record.host}, where no worker answers: these are the ends of its steps.`,
      );
    await this.#options.write(tails.slice(this.#tails.length));
    this.#tails = tails;
  }
}
