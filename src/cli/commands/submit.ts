/** `signalbox submit`: queues tasks, and may wait for them. */

import type { TaskEstimate } from '../../client/dry-run.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { loadConfig } from '../../config/config.ts';
import { processSources } from '../../config/process.ts';
import type { AcceptedTask } from '../../queue/store.ts';
import type { TaskState } from '../../task/states.ts';
import type { Task } from '../../task/task.ts';
import { report } from '../await/report.ts';
import { type Context, command } from '../command.ts';
import { usage } from '../errors.ts';
import { clip, countText, durationText, stateText, table } from '../format.ts';
import type { Output } from '../output.ts';
import { givenFlags, type TaskFlags, taskFlags, taskOf } from '../submit/flags.ts';
import { locate, readFiles, readTasks, type Source } from '../submit/sources.ts';

/** Of titles in the table. */
const TITLE_WIDTH = 60;

interface SubmitOptions extends TaskFlags {
  readonly wait?: boolean;
  readonly dryRun?: boolean;
  /** False with `--no-check`. */
  readonly check: boolean;
}

/** Queues tasks from files or flags, all or none. */
export const submit = command<SubmitOptions>({
  name: 'submit [files...]',
  summary: 'queue tasks from task files (YAML or JSON, - for stdin) or from flags',
  details: `Several files, and files that hold a list, are one list: all of it is queued or nothing. A relative
\`repo\` counts from the file's folder, with flags from the current folder. Each remote is asked once
whether it can be reached before anything is queued. The ids are printed, one a line.

With --wait the states are the final ones, and the exit code is 3 if a task could not run because of a
conflict, 4 if one ended otherwise than by success; the JSON then has an \`error\` beside \`tasks\`.

With --dry-run all is checked and nothing is queued; it says when each task would be likely to start, told from
how long such tasks took before, where that is known. The JSON is then
{tasks:[{id,title,state,duplicate,estimatedStartAt,estimatedWaitMs}]}, with \`id\` null for a task that is new.`,
  json: '{tasks:[{id,state,duplicate}]}',
  examples: [
    "signalbox submit --run 'npm update' --test 'npm test' --write package.json",
    "signalbox submit --agent claude --prompt 'Add rate limiting to the login' --write 'src/auth/**' --test 'npm test'",
    'signalbox submit task.yaml --wait',
    'signalbox submit tasks/*.yaml --json',
    'signalbox submit tasks/*.yaml --dry-run',
    'generate-tasks | signalbox submit -',
  ],
  options: (made) =>
    taskFlags(made)
      .option('--wait', 'wait until the tasks have ended, and show how they go')
      .option('--dry-run', 'check it and say when it would start; queue nothing')
      .option('--no-check', 'do not ask the remotes first'),
  run: async (context) => {
    const { options, out, connect } = context;
    const sources = await readSources(context);
    await using box = await connect();
    if (options.dryRun === true) {
      if (options.wait === true)
        throw usage('--wait and --dry-run cannot be given together.', 'With --dry-run there is nothing to wait for.');
      const tasks = await handOver(box, sources, {
        check: options.check,
        give: async (list) => await box.estimateTasks(list),
      });
      out.data({ tasks }, () => estimatePage(tasks, out));
      return undefined;
    }
    const accepted = await handOver(box, sources, {
      check: options.check,
      give: async (list) => await box.submitTasks(list),
    });
    if (options.wait === true) return await report({ box, out, accepted });
    out.data({ tasks: accepted }, () => accepted.map(({ id }) => id).join('\n'));
    noteDuplicates(accepted, out);
    return undefined;
  },
});

async function readSources({ args, options, flags }: Context<SubmitOptions>): Promise<Source[]> {
  const sources = processSources();
  const reading = { cwd: sources.cwd, presets: loadConfig({ ...sources, flags }).presets };
  const given = givenFlags(options);
  if (args.length > 0) {
    if (given.length === 0) return await readFiles(args, reading);
    throw usage(
      `${given[0]} and a task file cannot be given together.`,
      'Write it into the file, or describe the whole task by flags.',
    );
  }
  if (given.length > 0) return [{ name: undefined, tasks: readTasks(taskOf(options), reading) }];
  throw usage(
    'There is no task to submit.',
    'Give task files, `-` for standard input, or at least `--run COMMAND` or `--agent NAME`.',
  );
}

interface HandOver<T> {
  /** Whether to ask the remotes first. */
  readonly check: boolean;
  readonly give: (tasks: readonly Task[]) => Promise<T>;
}

async function handOver<T>(box: Signalbox, sources: readonly Source[], { check, give }: HandOver<T>): Promise<T> {
  const tasks = sources.flatMap((source) => source.tasks);
  try {
    if (check) await box.checkRemotes(tasks);
    return await give(tasks);
  } catch (error) {
    throw locate(error, sources);
  }
}

function estimatePage(tasks: readonly TaskEstimate[], { paint }: Output): string {
  const rows = tasks.map(({ id, title, state, estimatedWaitMs }) => [
    clip(title, TITLE_WIDTH),
    stateText(paint, state),
    startText(state, estimatedWaitMs),
    id ?? '',
  ]);
  return table(paint, ['task', 'state', 'would start', 'submitted before as'], rows);
}

function startText(state: TaskState, waitMs: number | null): string {
  if (waitMs !== null) return waitMs < 1_000 ? 'at once' : `in ${durationText(waitMs)}`;
  return state === 'queued' || state === 'scheduled' || state === 'blocked' ? 'nobody can tell' : '';
}

function noteDuplicates(accepted: readonly AcceptedTask[], out: Context<unknown>['out']): void {
  const count = accepted.filter(({ duplicate }) => duplicate).length;
  if (count > 0) out.note(`${countText(count, 'task')} had been submitted before.`);
}
