/** `signalbox plan`: a dry run of task files. */

import { type PlanParts, type PlanView, planTasks, UNKNOWN_DURATION_MS } from '../../client/plan.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { loadConfig } from '../../config/config.ts';
import { processSources } from '../../config/process.ts';
import { SignalboxError } from '../../errors.ts';
import { type Context, command } from '../command.ts';
import { usage } from '../errors.ts';
import { clip, countText, durationText, table } from '../format.ts';
import { userGit } from '../git.ts';
import type { Output } from '../output.ts';
import { locate, readFiles } from '../submit/sources.ts';
import { wholeNumber } from '../values.ts';

interface PlanOptions {
  readonly parallel?: number;
}

/** The widest that a cell of the table gets. */
const CELL = 60;
/** How many conflicts are printed; `--json` has more. */
const CONFLICTS_SHOWN = 50;

/** Shows what tasks would do, and queues nothing. */
export const plan = command<PlanOptions>({
  name: 'plan [files...]',
  summary: 'show what would run beside what, and how long all would take; nothing is queued',
  details: `Task files are read as \`submit\` reads them, and played through by the queue's own rules, as if nothing else
were in it. Limits, the cap and durations of earlier tasks are taken from the queue where it can be reached;
a task of whose kind nothing is known is taken to run for a minute.

\`waves\` are the tasks by when they would start if all took equally long. \`conflicts\` are the pairs that cannot
run at once, with what both want. \`criticalPath\` is the chain that decides the makespan. \`claims\` of a task are
what it would really hold: a glob claims its longest literal folder. Indexes count from 0 over all files.`,
  json: `{waves:[[index]],conflicts:[{a,b,resource}],conflictCount,makespanMs,criticalPath:[index],tasks:[{index,title,
wave,startMs,durationMs,durationKnown,claims:[{resource,mode}]}],mostRunning,utilisation,maxParallelRunners,
assumedResources:[name]}`,
  examples: [
    'signalbox plan tasks.yaml',
    'signalbox plan tasks/*.yaml --parallel 8',
    'generate-tasks | signalbox plan - --json',
  ],
  options: (made) =>
    made.option('--parallel <n>', 'the most runners (default: max_parallel_runners of the queue)', wholeNumber(1)),
  run: async (context) => {
    const { args, options, out } = context;
    const sources = processSources();
    if (args.length === 0) throw usage('There is nothing to plan.', 'Give task files, or `-` for standard input.');
    const { keepAfterMs, presets } = loadConfig({ ...sources, flags: context.flags });
    const files = await readFiles(args, { cwd: sources.cwd, presets });
    await using box = await connectIfThere(context);
    const parts: PlanParts = {
      git: userGit(),
      cwd: sources.cwd,
      keepAfterMs,
      queue: box?.queue,
      maxParallelRunners: options.parallel,
    };
    const made = await planTasks(
      files.flatMap(({ tasks }) => tasks),
      parts,
    ).catch((error: unknown) => {
      throw locate(error, files);
    });
    out.data(made, () => pageOf(made, out));
    noteAssumptions(made, out);
    return undefined;
  },
});

async function connectIfThere({ connect, out }: Context<PlanOptions>): Promise<Signalbox | undefined> {
  try {
    return await connect();
  } catch (error) {
    if (!(error instanceof SignalboxError && error.code === 'REDIS_UNREACHABLE')) throw error;
    out.note('No queue can be reached: planned without its limits and the durations of earlier tasks.');
    return undefined;
  }
}

function pageOf(made: PlanView, out: Output): string {
  const { tasks, conflicts, conflictCount, makespanMs, criticalPath, mostRunning, utilisation } = made;
  const title = (index: number): string => `${index} ${clip(tasks[index]?.title ?? '', CELL)}`;
  const runs = tasks
    .toSorted((a, b) => (a.startMs ?? Infinity) - (b.startMs ?? Infinity) || a.index - b.index)
    .map(({ index, wave, startMs, durationMs, claims }) => [
      wave === null ? 'never' : String(wave + 1),
      title(index),
      startMs === null ? '' : durationText(startMs),
      durationText(durationMs),
      clip(claims.map(({ resource, mode }) => (mode === 'read' ? `${resource} (read)` : resource)).join(' '), CELL),
    ]);
  const parts = [table(out.paint, ['wave', 'task', 'starts after', 'takes', 'claims'], runs)];
  if (conflictCount > 0) {
    const rows = conflicts.slice(0, CONFLICTS_SHOWN).map(({ a, b, resource }) => [title(a), title(b), resource]);
    parts.push(table(out.paint, ['task', 'not beside', 'because of'], rows));
  }
  if (conflictCount > CONFLICTS_SHOWN)
    parts.push(`and ${countText(conflictCount - CONFLICTS_SHOWN, 'other conflict')}`);
  parts.push(
    `All takes ${durationText(makespanMs)}, at most ${mostRunning} at once, ${Math.round(utilisation * 100)} % of the runners in use.`,
    `It is decided by: ${criticalPath.join(' → ')}`,
  );
  return parts.join('\n\n');
}

function noteAssumptions({ tasks, assumedResources }: PlanView, out: Output): void {
  const unknown = tasks.filter(({ durationKnown }) => !durationKnown).length;
  if (unknown > 0) {
    out.note(
      `${countText(unknown, 'task')} of unknown duration: taken to run for ${durationText(UNKNOWN_DURATION_MS)}.`,
    );
  }
  for (const name of assumedResources) out.note(`The resource ${name} has no capacity yet: taken to be 1.`);
}
