/** `signalbox logs`: what the steps of a task have printed. */

import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Signalbox } from '../../client/signalbox.ts';
import { SignalboxError } from '../../errors.ts';
import type { TaskRecord } from '../../queue/record.ts';
import { isTerminal } from '../../task/states.ts';
import { command } from '../command.ts';
import { usage } from '../errors.ts';
import { countText } from '../format.ts';
import { follow } from '../logs/follow.ts';
import { findLog } from '../logs/log-file.ts';
import { tailsOf } from '../logs/tails.ts';
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
  details: `The whole log is a file on the host of the worker that ran the task: it is printed when that is this host,
else the end of each step's output is. With --follow it goes on until the task has ended, from run to
run.`,
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
    if (options.follow === true && !out.json) {
      await follow({ box, id, write: (part) => out.raw(part), note: (text) => out.note(out.paintNote('dim', text)) });
      return undefined;
    }
    if (options.follow === true) await follow({ box, id, write: () => {}, note: () => {} });
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
  const file = await findLog(record, run, box.config.dataDir);
  if (file === undefined && run !== record.run) throw noSuchRun(record, run);
  const text = file === undefined ? tailsOf(record) : await readFile(file, 'utf8');
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  out.data({ id, run, host, complete: file !== undefined, lines }, () => lines.join('\n'));
  if (!out.json) out.note(out.paintNote('dim', remark(record, { file, empty: text === '' })));
}

function remark(
  record: TaskRecord,
  { file, empty }: { readonly file: string | undefined; readonly empty: boolean },
): string {
  const { id, state, run, host } = record;
  if (run === 0)
    return isTerminal(state) ? 'It never ran.' : `It has not run yet: it is ${state}. See \`signalbox explain ${id}\`.`;
  if (file !== undefined) return empty ? 'It has printed nothing.' : `From ${file}`;
  const where = host === hostname() ? 'The log file is no longer there' : `The whole log is on ${host ?? 'its host'}`;
  return `${where}: these are the ends of its steps. See \`signalbox show ${id}\` for its path.`;
}

function noSuchRun({ id, run, host }: TaskRecord, wanted: number): SignalboxError {
  return new SignalboxError('NOT_FOUND', `There is no log of run ${wanted} of task ${id} on this host.`, {
    next: `It has had ${countText(run, 'run')}; logs stay with the worker that made them (the newest: ${host ?? 'none'}).`,
  });
}
