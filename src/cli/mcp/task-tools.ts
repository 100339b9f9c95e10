/** The tools that queue tasks and look at the queue. */

import { z } from 'zod';
import type { ClaimsView } from '../../client/claims-view.ts';
import { planTasks } from '../../client/plan.ts';
import type { TaskSummary, TaskView } from '../../client/views.ts';
import { SignalboxError } from '../../errors.ts';
import { readBy, strict } from '../../invalid.ts';
import { line } from '../../task/fields.ts';
import { taskInput } from '../../task/schema.ts';
import { STATES } from '../../task/states.ts';
import { durationText } from '../format.ts';
import { userGit } from '../git.ts';
import { readTasks } from '../submit/sources.ts';
import type { Tool, ToolWorld } from './tool.ts';

/** How many tasks `list` shows unless it is asked for more. */
const LIST_LIMIT = 50;

const WHAT = { what: 'the arguments' };
const repo = z.string().min(1).exactOptional().describe('Only those on this repository: an address or a path.');

const tasksInput = strict({
  tasks: z
    .array(taskInput)
    .min(1)
    .describe('The tasks; all of them are queued, or none. `repo: .` is the server’s folder.'),
});

/** By the schema of tasks itself, so that an error is worded as everywhere else. */
function tasksOf(args: unknown, { reading }: ToolWorld) {
  const { tasks } = readBy(strict({ tasks: z.array(z.unknown()).min(1) }), args, WHAT);
  try {
    return readTasks(tasks, reading);
  } catch (error) {
    throw inTasks(error);
  }
}

/** The field as the caller wrote it. */
function inTasks(error: unknown): unknown {
  if (!(error instanceof SignalboxError) || error.field === undefined) return error;
  const { code, field, next, details } = error;
  const at = field.startsWith('[') ? `tasks${field}` : `tasks[0].${field}`;
  return new SignalboxError(code, error.message.replace(`\`${field}\``, `\`${at}\``), { field: at, next, details });
}

const submit: Tool = {
  name: 'submit',
  title: 'Queue tasks',
  description:
    'Queues tasks that workers run elsewhere, each in a checkout of its own: commands or coding agents that change a repository, ' +
    'tests, and what to do with the result. A task that needs what others hold waits in line.',
  input: tasksInput,
  readOnly: false,
  run: async (args, world) => {
    const tasks = tasksOf(args, world);
    const box = await world.box();
    const accepted = await box
      .checkRemotes(tasks)
      .then(async () => await box.submitTasks(tasks))
      .catch((error: unknown) => {
        throw inTasks(error);
      });
    const lines = accepted.map(({ id, state, duplicate }) => `${id} ${state}${duplicate ? ' (submitted before)' : ''}`);
    return { value: { tasks: accepted }, text: lines.join('\n') };
  },
};

const plan: Tool = {
  name: 'plan',
  title: 'Dry run of tasks',
  description:
    'Says what of these tasks would run beside what, what would wait for what, and how long all would take. Queues nothing.',
  input: tasksInput,
  readOnly: true,
  run: async (args, world) => {
    const tasks = tasksOf(args, world);
    const { queue, config } = await world.box();
    const { cwd } = world.reading;
    const made = await planTasks(tasks, {
      git: userGit(),
      cwd,
      queue,
      keepAfterMs: config.keepAfterMs,
      maxParallelRunners: undefined,
    });
    const waves = made.waves.map(
      (wave, index) => `wave ${index + 1}: ${wave.map((at) => tasks[at]?.title).join(' | ')}`,
    );
    const conflicts = made.conflicts
      .slice(0, 20)
      .map(({ a, b, resource }) => `${tasks[a]?.title} and ${tasks[b]?.title} both want ${resource}`);
    return {
      value: made,
      text: [...waves, ...conflicts, `all takes about ${durationText(made.makespanMs)}`].join('\n'),
    };
  },
};

const listInput = strict({
  state: z.enum(STATES).exactOptional().describe('Only those in this state.'),
  owner: z.string().exactOptional().describe('Only those of this owner.'),
  repo,
  limit: z.int().min(1).max(1000).default(LIST_LIMIT).describe('At most so many.'),
});

const list: Tool = {
  name: 'list',
  title: 'List tasks',
  description: 'Lists the tasks that are kept, newest first.',
  input: listInput,
  readOnly: true,
  run: async (args, world) => {
    const tasks = await (await world.box()).list(readBy(listInput, args, WHAT));
    return { value: { tasks }, text: tasks.length === 0 ? 'There are none.' : tasks.map(lineOf).join('\n') };
  },
};

const idInput = strict({ id: line(200).describe('The task’s id, as submit answered it.') });

const show: Tool = {
  name: 'show',
  title: 'Show a task',
  description:
    'Shows one task: its state, phases with the ends of what their steps printed, conflicts, files that it changed, artifacts.',
  input: idInput,
  readOnly: true,
  run: async (args, world) => {
    const { id } = readBy(idInput, args, WHAT);
    const task = await (await world.box()).get(id);
    return { value: task, text: pageOf(task) };
  },
};

const explain: Tool = {
  name: 'explain',
  title: 'Why a task waits or failed',
  description:
    'Says why a task waits (what blocks it, who holds that since when, its place in line, when it is likely to start) or how it ended, and what to do next.',
  input: idInput,
  readOnly: true,
  run: async (args, world) => {
    const { id } = readBy(idInput, args, WHAT);
    const explanation = await (await world.box()).explain(id);
    return { value: explanation, text: `${explanation.summary}\nnext: ${explanation.next}` };
  },
};

const claimsInput = strict({ repo });

const claims: Tool = {
  name: 'claims',
  title: 'What is held',
  description:
    'Lists the branches, paths and resources that are held now, by whom and since when, and who waits for them.',
  input: claimsInput,
  readOnly: true,
  run: async (args, world) => {
    const view = await (await world.box()).claims(readBy(claimsInput, args, WHAT).repo);
    return { value: view, text: claimsText(view) };
  },
};

/** The tools. */
export const TASK_TOOLS: readonly Tool[] = [submit, plan, list, show, explain, claims];

function lineOf({ id, state, code, title, branch }: TaskSummary): string {
  return `${id} ${state}${code === null ? '' : ` (${code})`} ${branch}: ${title}`;
}

function pageOf(task: TaskView): string {
  const phases = task.phases.map(({ name, state, steps }) => {
    const failed = steps.find(({ exitCode }) => exitCode !== 0);
    return `${name}: ${state}${failed === undefined ? '' : `\n${failed.name} ended with ${failed.exitCode}:\n${failed.outputTail}`}`;
  });
  const changed = task.filesChanged.length === 0 ? [] : [`changed ${task.filesChanged.join(', ')}`];
  return [lineOf(task), ...phases, ...changed, ...(task.error === null ? [] : [task.error])].join('\n');
}

function claimsText({ held, waiting }: ClaimsView): string {
  const lines = held.map(
    ({ repo: on, resource, mode, taskId, runnerId, workerId, since }) =>
      `${resource} (${mode}${on === '' ? '' : ` on ${on}`}) is held by ${taskId ?? `${runnerId} (${workerId})`} since ${since}`,
  );
  const queued = waiting.map(({ taskId, resource, position }) => `${taskId} waits for ${resource}, place ${position}`);
  return lines.length + queued.length === 0 ? 'Nothing is held.' : [...lines, ...queued].join('\n');
}
