/** The fields that a submitted and a stored task share, each with its bounds. */

import { z } from 'zod';
import { checked, strict } from '../invalid.ts';
import { branchProblem } from './branches.ts';
import { MAX_DURATION_MS, parseDuration } from './duration.ts';
import { claimPathProblem } from './paths.ts';
import { repositoryProblem } from './repository.ts';

/** The most paths that one task may name. */
export const MAX_PATHS = 10_000;
/** The most steps that one phase may have. */
export const MAX_STEPS = 100;

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}._@+/-]*$/u;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** One line of text that is not blank, at most `max` characters. */
export function line(max: number): z.ZodString {
  return checked((text) => {
    if (text.trim() === '') return 'must not be empty';
    if (text.length > max) return `must be at most ${max} characters`;
    return CONTROL.test(text) ? 'must be one line without control characters' : undefined;
  }).meta({ minLength: 1, maxLength: max });
}

/** A name that travels in keys and messages: an owner, a plan. */
export const name = checked((text) =>
  text.length <= 100 && NAME.test(text) ? undefined : 'must be a name: at most 100 letters, digits and . _ @ + / -',
).meta({ minLength: 1, maxLength: 100 });

/** A repository's address or path. */
export const repo = checked(repositoryProblem);

/** A branch name. */
export const branch = checked(branchProblem);

/** A branch, tag or commit to start from, or `task:` and an id or idempotency key: where that task's work went. */
export const base = checked((given) => {
  if (!given.startsWith('task:')) return branchProblem(given);
  return /^task:\S.{0,199}$/.test(given) ? undefined : 'must name a task after `task:`';
});

const path = checked(claimPathProblem);

/** Paths or globs. */
export const paths = z.array(path).max(MAX_PATHS);

/** Text that a shell, an argument or a message may hold: any lines, not blank. */
export const text = checked((given) => (given.trim() === '' ? 'must not be empty' : undefined)).meta({ minLength: 1 });

/** A program and its arguments. */
export const argv = z
  .array(z.string())
  .min(1)
  .max(1000)
  .superRefine((list, context) => {
    if (list[0]?.trim() === '') context.addIssue({ code: 'custom', path: [0], message: 'must name a program' });
  });

/** The name of a handler that the worker knows. */
export const handler = checked((given) =>
  /^[A-Za-z][\w.-]{0,99}$/.test(given) ? undefined : 'must be the name of a handler: letters, digits and . _ -',
);

/** A duration in ms as it is stored. */
export const durationMs = z.int().min(1).max(MAX_DURATION_MS);

/** A duration as users write it: ms, or text like `5m`. Gives ms. */
export const duration = z.union([z.number(), z.string()]).transform((given, context) => {
  const value = parseDuration(given);
  if (value !== undefined && value >= 1 && value <= MAX_DURATION_MS) return value;
  context.addIssue({ code: 'custom', message: 'must be a duration such as 500 (ms), 30s or 5m, of at most 30d' });
  return z.NEVER;
});

/** Extra variables for the steps. */
export const env = z.record(checked(envNameProblem), z.string());

/** Names of secrets. */
export const secrets = z
  .array(checked((given) => (given === 'REDIS_URL' ? 'must not be the queue’s own' : envNameProblem(given))))
  .max(100);

/** Task ids or idempotency keys. */
export const dependsOn = z.array(line(200)).max(1000);

/** The claims, the same in both forms. */
export const claims = strict({
  write: paths.default([]).describe('Paths and globs that nobody else may touch meanwhile.'),
  read: paths.default([]).describe('Paths and globs that nobody may write meanwhile.'),
  resources: z.array(name).max(100).default([]).describe('Named, counted things that it needs one of.'),
  until: z
    .enum(['published', 'merged'])
    .default('published')
    .describe('How long the paths are kept: to the end of the task, or until its branch is merged or gone.'),
  undeclared: z
    .enum(['claim', 'fail', 'warn'])
    .default('claim')
    .describe('What happens to files changed outside the claims: they are claimed before publishing, or not.'),
});

function envNameProblem(given: string): string | undefined {
  if (!ENV_NAME.test(given) || given.length > 200)
    return 'must be a variable name: letters, digits and _, no digit first';
  return given.startsWith('SIGNALBOX_') ? 'must not begin with SIGNALBOX_' : undefined;
}
