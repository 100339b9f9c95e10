/** `signalbox logs`: what the steps of a task have printed. */

import { followLog } from '../../client/follow-log.ts';
import { tailsOf } from '../../client/log-tails.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { type NoFile, openLog, partsOf, type TaskFile } from '../../client/task-files.ts';
import { SignalboxError } from '../../errors.ts';
import type { TaskRecord } from '../../queue/record.ts';
import { isTerminal } from '../../task/states.ts';
import { command } from '../command.ts';
import { usage } from '../errors.ts';
import { countText } from '../format.ts';
import type { Output } from '../output.ts';
import { wholeNumber } from '../values.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly run?: number;
}

/** Prints or follows a task's output. */
export const logs = command<LogsOptions>({
  name: 'logs <id>',
  summary: 'print what a task’s steps have printed, or follow it',
  details: `The whole log is a file on the host of the worker that ran the task. On another machine it comes through a
worker of that host; if none answers, the end of each step's output is printed. With --follow it goes on until
the task has ended, from run to run.`,
  json: '{id,run,host,complete,lines:[…]}, with --follow once the task has ended; complete is false when only the ends are there',
  examples: ['signalbox logs ID', 'signalbox logs ID -f', 'signalbox logs ID --run 1 --json'],
  options: (made) =>
    made
      .option('-f, --follow', 'go on until the task has ended')
      .option('--run <n>', 'which run of the task (default: the newest)', wholeNumber(1)),
  run: async ({ args, options, out, connect }) => {
    const id = args[0] ?? '';
    if (options.follow === true && options.run !== undefined)
      throw usage('--follow and --run cannot be given together.', 'Leave one out: an earlier run does not grow.');
    await using box = await connect();
    const place = { queue: box.queue, dataDir: box.config.dataDir, id };
    if (options.follow === true && !out.json) {
      const note = (text: string): void => out.note(out.paintNote('dim', text));
      await followLog({ ...place, write: (part) => out.raw(part), note });
      return undefined;
    }
    if (options.follow === true) await followLog({ ...place, write: () => {}, note: () => {} });
    await print(box, out, { record: await box.queue.get(id), run: options.run });
    return undefined;
  },
});

interface Wanted {
  readonly record: TaskRecord;
  readonly run: number | undefined;
}

async function print(box: Signalbox, out: Output, { record, run = record.run }: Wanted): Promise<void> {
  const { id, host } = record;
  const found = await openLog({ queue: box.queue, dataDir: box.config.dataDir }, record, run);
  const file = typeof found === 'string' ? undefined : found;
  try {
    if (file === undefined && run !== record.run) throw noSuchRun(record, run);
    const text = file === undefined ? tailsOf(record) : await wholeText(file);
    const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
    out.data({ id, run, host, complete: file !== undefined, lines }, () => lines.join('\n'));
    if (!out.json) out.note(out.paintNote('dim', remark(record, { found, empty: text === '' })));
  } finally {
    await file?.close();
  }
}

async function wholeText(file: TaskFile): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of partsOf(file)) parts.push(part);
  return Buffer.concat(parts).toString();
}

function remark(
  record: TaskRecord,
  { found, empty }: { readonly found: TaskFile | NoFile; readonly empty: boolean },
): string {
  const { id, state, run, host } = record;
  if (run === 0)
    return isTerminal(state) ? 'It never ran.' : `It has not run yet: it is ${state}. See \`signalbox explain ${id}\`.`;
  if (typeof found !== 'string') {
    if (empty) return 'It has printed nothing.';
    return found.localPath === undefined ? `From ${host}, through its worker` : `From ${found.localPath}`;
  }
  const where =
    found === 'missing'
      ? 'The log file is no longer there'
      : `The whole log is on ${host ?? 'its host'}, where no worker answers`;
  return `${where}: these are the ends of its steps. See \`signalbox show ${id}\` for its path.`;
}

function noSuchRun({ id, run, host }: TaskRecord, wanted: number): SignalboxError {
  return new SignalboxError('NOT_FOUND', `There is no log of run ${wanted} of task ${id} that can be reached.`, {
    next: `It has had ${countText(run, 'run')}; logs stay with the worker that made them (the newest: ${host ?? 'none'}).`,
  });
}
