/** The task as users write it: YAML, JSON, flags or a TypeScript object. One strict schema, read once at submission. */

import { z } from 'zod';
import { invalidError, readBy, strict } from '../invalid.ts';
import * as fields from './fields.ts';
import { MAX_TASK_BYTES, plainData } from './plain-data.ts';
import { BUILT_IN_PRESETS, type DraftStep, type DraftTask, expandAgents, type Presets } from './presets.ts';
import { slotVariable } from './slots.ts';
import type { Task } from './task.ts';

/** The most tasks that one submission may hold. */
const MAX_TASKS = 10_000;
const MAX_LIST_BYTES = 8 * MAX_TASK_BYTES;

const run = z.union([fields.text, fields.argv]);

const fullStep = strict({
  name: fields.line(100).exactOptional().describe('Shown in logs; default: the command.'),
  run: run.exactOptional().describe('A shell command, or a program and its arguments.'),
  agent: fields
    .line(50)
    .exactOptional()
    .describe('Instead of `run`: a preset, which knows how that coding agent is called.'),
  prompt: fields.text.max(100_000).exactOptional().describe('What the agent is told.'),
  handler: fields.handler.exactOptional().describe('Instead of `run`: a function of the worker.'),
  input: z.json().exactOptional().describe('What the handler is given.'),
  timeout: fields.duration.exactOptional().describe('The most that one try may take.'),
  retries: z.int().min(0).max(20).default(0).describe('How often to try again at once.'),
}).superRefine((step, context) => {
  const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
  const kinds = [step.run, step.agent, step.handler].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) refuse('must have one of `run`, `agent` or `handler`');
  else if ((step.agent === undefined) !== (step.prompt === undefined))
    refuse(
      step.agent === undefined ? 'must not have `prompt` without `agent`' : 'must have a `prompt` for its `agent`',
    );
  else if (step.input !== undefined && step.handler === undefined) refuse('must not have `input` without `handler`');
});

type WrittenStep = string | string[] | z.output<typeof fullStep>;

const step = z.union([fields.text, fields.argv, fullStep]).transform(toStep);
const steps = z.array(step).max(fields.MAX_STEPS);

const taskShape = strict({
  title: fields.line(200).describe('What the task does, on one line.'),
  repo: fields.repo.describe('The repository: an https, ssh or git@host:path address, or a local path.'),
  base: fields.base
    .exactOptional()
    .describe(
      'Branch, tag or commit to start from, or `task:<id>` for another task’s result; default: the remote’s HEAD.',
    ),
  branch: fields.branch.exactOptional().describe('Where the work is pushed; default: `signalbox/<task id>`.'),
  claims: fields.claims.prefault({}).describe('What the task must hold to run.'),
  implement: steps.min(1).describe('The steps that do the work.'),
  test: z
    .union([z.literal('auto'), steps])
    .prefault([])
    .describe('The steps that check it, or `auto`.'),
  failFast: z.boolean().default(true).describe('Whether the first failing test step ends the tests.'),
  publish: z.enum(['push', 'land', 'patch', 'none']).default('push').describe('What happens to the result.'),
  message: fields.text
    .max(10_000)
    .exactOptional()
    .describe('Commit message; default: `feat(<spec>): <title> [Task <id>]`.'),
  onConflict: z
    .enum(['wait', 'fail', 'skip', 'proceed', 'supersede', 'preempt'])
    .default('wait')
    .describe('What to do while something is held by others.'),
  waitTimeout: fields.duration.exactOptional().describe('How long to wait, from the first time it is blocked.'),
  preemptible: z.enum(['steps', 'anytime', 'never']).default('steps').describe('When a higher priority may stop it.'),
  timeout: fields.duration.prefault('30m').describe('The most that one run may take, waiting aside.'),
  stallTimeout: fields.duration.prefault('10m').describe('How long a step may be without output.'),
  attempts: z.int().min(1).max(100).default(3).describe('How many charged failures end the task.'),
  priority: z.enum(['urgent', 'high', 'normal', 'low']).default('normal').describe('Who goes first.'),
  owner: fields.name.exactOptional().describe('Whom quotas and fairness count; default: the user who submits.'),
  spec: fields.name.exactOptional().describe('The plan that it belongs to.'),
  dependsOn: fields.dependsOn.default([]).describe('Task ids, or idempotency keys of the same list.'),
  checkout: z.enum(['full', 'claimed']).default('full').describe('What is checked out.'),
  include: fields.paths.default([]).describe('Further paths to check out with `checkout: claimed`.'),
  env: fields.env.default({}).describe('Extra variables for the steps.'),
  secrets: fields.secrets.default([]).describe('Names of secrets that the worker gives to the steps.'),
  idempotencyKey: fields.line(200).exactOptional().describe('The same key and body is the same task.'),
});

/** The schema of a submitted task; its output is the normal form. */
export const taskInput = taskShape.superRefine(crossChecks).transform(toTask);

/** A task as users write it. */
export type TaskInput = z.input<typeof taskInput>;

/** How to read. */
interface ParseOptions {
  /** Leads the field in an error. */
  readonly prefix?: string;
  readonly presets?: Presets;
}

/** Reads one task. Throws `INVALID`. */
export function parseTask(input: unknown, { prefix = '', presets = BUILT_IN_PRESETS }: ParseOptions = {}): Task {
  const draft = readBy(taskInput, plainData(input, prefix), { what: 'a task', prefix });
  return expandAgents(draft, presets, prefix);
}

/** Reads one task or a list of them. The field of an error in a list begins with the index: `[2].branch`. */
export function parseTasks(input: unknown, presets: Presets = BUILT_IN_PRESETS): Task[] {
  if (!Array.isArray(input)) return [parseTask(input, { presets })];
  if (input.length === 0 || input.length > MAX_TASKS) {
    throw invalidError({
      field: '',
      message: `a list of tasks must have 1 to ${MAX_TASKS} entries; given ${input.length}`,
    });
  }
  const list = plainData(input, '', MAX_LIST_BYTES) as unknown[];
  return list.map((task, index) => parseTask(task, { prefix: `[${index}]`, presets }));
}

interface Written {
  readonly claims: {
    readonly write: readonly string[];
    readonly read: readonly string[];
    readonly resources: readonly string[];
  };
  readonly include: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** The rules between fields, for submitted and stored tasks alike. */
export function crossChecks(task: Written, context: z.core.$RefinementCtx): void {
  const count = task.claims.write.length + task.claims.read.length + task.include.length;
  if (count > fields.MAX_PATHS) {
    context.addIssue({
      code: 'custom',
      path: ['claims'],
      message: `must name at most ${fields.MAX_PATHS} paths in all`,
    });
  }
  const variables = task.claims.resources.map(slotVariable);
  const same = variables.findIndex((variable, at) => variables.indexOf(variable) !== at);
  if (same >= 0) {
    const message = `must differ from the others in more than case and punctuation: it is ${variables[same]} in a step`;
    context.addIssue({ code: 'custom', path: ['claims', 'resources', same], message });
  }
  const twice = task.secrets.findIndex((name) => Object.hasOwn(task.env, name));
  if (twice >= 0)
    context.addIssue({ code: 'custom', path: ['secrets', twice], message: 'must not be in `env` as well' });
}

function toTask(written: z.output<typeof taskShape>): DraftTask {
  const { timeout, stallTimeout, waitTimeout, ...same } = written;
  const wait = waitTimeout === undefined ? {} : { waitTimeoutMs: waitTimeout };
  // A task that is stacked on another waits for it.
  const below = same.base?.startsWith('task:') ? [same.base.slice('task:'.length)] : [];
  const dependsOn = [...new Set([...same.dependsOn, ...below])];
  return { ...same, ...wait, dependsOn, timeoutMs: timeout, stallTimeoutMs: stallTimeout };
}

function toStep(written: WrittenStep): DraftStep {
  if (typeof written === 'string' || Array.isArray(written)) return toStep({ run: written, retries: 0 });
  const command = toCommand(written);
  const limit = written.timeout === undefined ? {} : { timeoutMs: written.timeout };
  return { name: written.name ?? nameOf(command), command, ...limit, retries: written.retries };
}

function toCommand(written: z.output<typeof fullStep>): DraftStep['command'] {
  if (written.agent !== undefined) return { kind: 'agent', agent: written.agent, prompt: written.prompt ?? '' };
  if (typeof written.run === 'string') return { kind: 'shell', script: written.run };
  if (written.run !== undefined) return { kind: 'argv', argv: written.run };
  const input = written.input === undefined ? {} : { input: written.input };
  return { kind: 'handler', handler: written.handler as string, ...input };
}

/** The command on one line, cut to 50 characters. */
function nameOf(command: DraftStep['command']): string {
  if (command.kind === 'handler') return command.handler;
  const words = wordsOf(command);
  const letters = Array.from(words.replace(/[\p{Cc}\p{Z}\ufeff]+/gu, ' ').trim());
  return letters.length > 50 ? `${letters.slice(0, 49).join('')}…` : letters.join('') || 'command';
}

function wordsOf(command: Exclude<DraftStep['command'], { kind: 'handler' }>): string {
  if (command.kind === 'agent') return `${command.agent}: ${command.prompt}`;
  return command.kind === 'shell' ? command.script : command.argv.join(' ');
}
