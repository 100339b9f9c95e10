/** Follows a task's output from run to run until the task has ended. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Signalbox } from '../../client/signalbox.ts';
import type { TaskRecord } from '../../queue/record.ts';
import { isTerminal } from '../../task/states.ts';
import { findLog, GrowingFile } from './log-file.ts';
import { tailsOf } from './tails.ts';

/** What is followed and who takes it. */
export interface FollowOptions {
  readonly box: Signalbox;
  readonly id: string;
  readonly write: (part: Uint8Array | string) => void;
  /** Told to people: another run began, or the whole log is elsewhere. */
  readonly note: (text: string) => void;
}

/** How often a log is looked at; it is a file of another process, perhaps on a file system that tells nothing. */
const LOOK_MS = 200;

/** Follows until the task has ended; answers its last record. Throws NOT_FOUND or TASK_LOST. */
export async function follow(options: FollowOptions): Promise<TaskRecord> {
  const { box, id, note } = options;
  let record = await box.queue.get(id);
  if (record.run === 0 && !isTerminal(record.state)) note(`It is ${record.state}; its output follows once it runs.`);
  for (let run = Math.max(1, record.run); ; run += 1) {
    record = await followRun(options, run);
    if (record.run <= run) return record;
    note(`Run ${run + 1} follows.`);
  }
}

/** Follows one run until the task has ended or has a newer run. */
async function followRun({ box, id, write, note }: FollowOptions, run: number): Promise<TaskRecord> {
  let log: GrowingFile | undefined;
  let shown = '';
  const showTails = (record: TaskRecord): void => {
    const tails = tailsOf(record);
    if (shown === '' && tails !== '') note(`The whole log is on ${record.host}: these are the ends of its steps.`);
    write(tails.slice(shown.length));
    shown = tails;
  };
  try {
    for (;;) {
      // Looked at before the output is: what came until then is all that there will be.
      const record = await box.queue.get(id);
      const over = isTerminal(record.state) || record.run > run;
      const path = log === undefined ? await findLog(record, run, box.config.dataDir) : undefined;
      if (path !== undefined) log = await GrowingFile.open(path);
      if (log !== undefined) await log.drain(write);
      else if (record.run === run) showTails(record);
      if (over) return record;
      await delay(LOOK_MS);
    }
  } finally {
    await log?.close();
  }
}
