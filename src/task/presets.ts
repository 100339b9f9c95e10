/**
 * Presets: how the command line of a coding agent is called, by name. A step `{ agent: claude, prompt: … }` becomes an
 * ordinary step when the task is submitted, so workers know nothing of presets. Pure.
 */

import { z } from 'zod';
import { fieldPath, invalidError, nearMiss, strict } from '../invalid.ts';
import * as fields from './fields.ts';
import type { Command, Step, Task } from './task.ts';

/** Stands for the prompt in a preset's arguments. */
const PROMPT = '{prompt}';

const NAME = /^[a-z0-9][a-z0-9._-]{0,49}$/;

/** One preset. */
export const preset = strict({
  run: fields.argv
    .refine((argv) => argv.some((word) => word.includes(PROMPT)), 'must have {prompt} in one of its arguments')
    .describe('The program and its arguments, as a list; `{prompt}` in them is replaced by the step’s prompt.'),
  env: fields.env.default({}).describe('Variables for the steps; those of the task win.'),
  secrets: fields.secrets.default([]).describe('Names of secrets that the worker gives to the steps.'),
});

/** Presets by name. */
export const presets = z.record(z.string().regex(NAME, 'must be a name of a-z, 0-9 and . _ -, at most 50'), preset);

/** One preset in its normal form. */
export type Preset = z.output<typeof preset>;
/** Presets by name. */
export type Presets = Readonly<Record<string, Preset>>;

/**
 * Those that need no configuration. Each runs without a terminal, may edit files without asking, and uses the flags that
 * its own documentation names for that.
 */
export const BUILT_IN_PRESETS: Presets = {
  claude: {
    run: ['claude', '-p', PROMPT, '--permission-mode', 'acceptEdits'],
    env: {},
    secrets: ['ANTHROPIC_API_KEY'],
  },
  codex: { run: ['codex', 'exec', '--sandbox', 'workspace-write', PROMPT], env: {}, secrets: ['CODEX_API_KEY'] },
  gemini: {
    run: ['gemini', '--approval-mode', 'auto_edit', '-p', PROMPT],
    env: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    secrets: ['GEMINI_API_KEY'],
  },
  // These two work with many providers: the task names the secret of the one that it uses.
  aider: { run: ['aider', '--yes-always', '--message', PROMPT], env: {}, secrets: [] },
  opencode: { run: ['opencode', 'run', PROMPT], env: {}, secrets: [] },
};

/** A step that calls an agent, before its preset is known. */
export interface AgentCommand {
  readonly kind: 'agent';
  readonly agent: string;
  readonly prompt: string;
}

/** A step as it is written. */
export type DraftStep = Omit<Step, 'command'> & { readonly command: Command | AgentCommand };

/** A task whose steps may still name agents. */
export type DraftTask = Omit<Task, 'implement' | 'test'> & {
  readonly implement: readonly DraftStep[];
  readonly test: readonly DraftStep[] | 'auto';
};

/**
 * Puts each agent's command line into its step, and what its preset brings into the task: variables and secrets that
 * the task has itself stay as they are. Throws INVALID naming a preset that there is not; `prefix` leads the field.
 */
export function expandAgents(draft: DraftTask, known: Presets, prefix: string): Task {
  const used = new Set<Preset>();
  const expand = (steps: readonly DraftStep[], phase: string): Step[] =>
    steps.map((step, index) => {
      const { command } = step;
      if (command.kind !== 'agent') return { ...step, command };
      const found = Object.hasOwn(known, command.agent) ? known[command.agent] : undefined;
      if (found === undefined) throw unknownAgent(command.agent, known, fieldPath([phase, index, 'agent'], prefix));
      used.add(found);
      const argv = found.run.map((word) => word.replaceAll(PROMPT, () => command.prompt));
      return { ...step, command: { kind: 'argv', argv } };
    });
  const implement = expand(draft.implement, 'implement');
  const test = draft.test === 'auto' ? draft.test : expand(draft.test, 'test');
  return { ...draft, implement, test, ...surroundings(draft, [...used]) };
}

function surroundings({ env, secrets }: Pick<Task, 'env' | 'secrets'>, used: readonly Preset[]) {
  const brought = used.flatMap((one) => Object.entries(one.env)).filter(([name]) => !secrets.includes(name));
  const variables = { ...Object.fromEntries(brought), ...env };
  const wanted = used.flatMap((one) => one.secrets).filter((name) => !Object.hasOwn(variables, name));
  return { env: variables, secrets: [...new Set([...secrets, ...wanted])] };
}

function unknownAgent(agent: string, known: Presets, field: string) {
  const names = Object.keys(known);
  const near = nearMiss(agent, names);
  const hint = near === undefined ? `those known here are ${names.join(', ')}` : `did you mean \`${near}\`?`;
  return invalidError({ field, message: `\`${field}\` names no preset: ${hint}; given ${JSON.stringify(agent)}` });
}
