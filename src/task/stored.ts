/**
 * The stored form of a task: `{v: 1, task}` as JSON in the queue. The worker reads it as strictly as a submission,
 * since anybody who can write to Redis can forge a job.
 */

import { z } from 'zod';
import { SignalboxError } from '../errors.ts';
import { invalidError, readBy, strict } from '../invalid.ts';
import * as fields from './fields.ts';
import { MAX_TASK_BYTES, plainData } from './plain-data.ts';
import { crossChecks } from './schema.ts';
import type { Task } from './task.ts';

/** Beyond these a stored task is walked through value by value. */
const MAX_PLAIN_CHARS = 64 * 1024;
const MAX_PLAIN_BRACKETS = 32;

/** The version of the stored form that is written and read here. */
export const STORED_VERSION = 1;

const command = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('shell'), script: fields.text }),
  strict({ kind: z.literal('argv'), argv: fields.argv }),
  strict({ kind: z.literal('handler'), handler: fields.handler, input: z.json().exactOptional() }),
]);

const step = strict({
  name: fields.line(100),
  command,
  timeoutMs: fields.durationMs.exactOptional(),
  retries: z.int().min(0).max(20),
});
const steps = z.array(step).max(fields.MAX_STEPS);

const storedTask: z.ZodType<Task> = strict({
  title: fields.line(200),
  repo: fields.repo,
  base: fields.base.exactOptional(),
  branch: fields.branch.exactOptional(),
  claims: fields.claims,
  implement: steps.min(1),
  test: z.union([z.literal('auto'), steps]).default([]),
  failFast: z.boolean(),
  publish: z.enum(['push', 'land', 'patch', 'none']),
  message: fields.text.max(10_000).exactOptional(),
  onConflict: z.enum(['wait', 'fail', 'skip', 'proceed', 'supersede', 'preempt']),
  waitTimeoutMs: fields.durationMs.exactOptional(),
  preemptible: z.enum(['steps', 'anytime', 'never']),
  timeoutMs: fields.durationMs,
  stallTimeoutMs: fields.durationMs,
  attempts: z.int().min(1).max(100),
  priority: z.enum(['urgent', 'high', 'normal', 'low']),
  owner: fields.name.exactOptional(),
  spec: fields.name.exactOptional(),
  dependsOn: fields.dependsOn.default([]),
  checkout: z.enum(['full', 'claimed']),
  include: fields.paths.default([]),
  env: fields.env.default({}),
  secrets: fields.secrets.default([]),
  idempotencyKey: fields.line(200).exactOptional(),
}).superRefine(crossChecks);

const envelope = strict({ v: z.literal(STORED_VERSION), task: storedTask });

/**
 * The stored form of `task`, as JSON with sorted keys: the same task is always the same text. What is an empty list there
 * is left out: it means the same in every version, unlike what is left to a default.
 */
export function serializeTask(task: Task): string {
  const short = { ...withoutEmpty(task), claims: withoutEmpty(task.claims) };
  return JSON.stringify({ v: STORED_VERSION, task: short }, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

function withoutEmpty(named: object): object {
  const isEmpty = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return Object.fromEntries(Object.entries(named).filter(([, value]) => !isEmpty(value)));
}

/**
 * Reads the stored form. Throws `UNSUPPORTED` for a newer version, and `INVALID` for bad JSON, another version, an extra
 * field or a value out of bounds.
 */
export function parseEnvelope(json: string): Task {
  const stored = parseJson(json);
  const version = versionOf(stored) ?? 0;
  if (version > STORED_VERSION) {
    throw new SignalboxError(
      'UNSUPPORTED',
      `the task is stored in form ${version}; this version reads ${STORED_VERSION}`,
      {
        next: 'Use the version of Signalbox that submitted it, or a newer one.',
      },
    );
  }
  const data = isPlainJson(json) ? stored : plainData(stored, '', 2 * MAX_TASK_BYTES);
  return readBy(envelope, data, { what: 'a stored task' }).task;
}

/**
 * Whether JSON can hold nothing that `plainData` refuses, told by its text: no names of prototypes, no characters that
 * JSON has to escape by number, too few brackets to be nested deeply, and not much of it. What Signalbox wrote is so.
 */
function isPlainJson(json: string): boolean {
  if (json.length > MAX_PLAIN_CHARS || /\\u|__proto__|constructor|prototype/.test(json)) return false;
  return (json.match(/[[{]/g)?.length ?? 0) <= MAX_PLAIN_BRACKETS;
}

/** What a stored task wants, as far as it is told from others. */
export interface Wants extends Pick<Task, 'onConflict'> {
  readonly claims: Pick<Task['claims'], 'write' | 'read' | 'resources'>;
}

/**
 * What a stored task wants, unchecked: for looking at thousands, never for running one. What a worker would refuse wants
 * nothing here.
 */
export function wantsOf(json: string): Wants {
  const nothing = { write: [], read: [], resources: [] };
  try {
    const { claims, onConflict = 'wait' } = (JSON.parse(json) as { readonly task: Partial<Wants> }).task;
    return { claims: { ...nothing, ...claims }, onConflict };
  } catch {
    return { claims: nothing, onConflict: 'wait' };
  }
}

/** The version of the form that a task is stored in; undefined when it says none. The rest is not looked at. */
export function storedVersion(json: string): number | undefined {
  try {
    return versionOf(parseJson(json));
  } catch {
    return undefined;
  }
}

/** The version that stored data, of a task or of its job, says it has. */
export function versionOf(data: unknown): number | undefined {
  const version = typeof data === 'object' && data !== null && 'v' in data ? data.v : undefined;
  return Number.isSafeInteger(version) ? (version as number) : undefined;
}

function parseJson(json: string): unknown {
  if (json.length > 4 * MAX_TASK_BYTES)
    throw invalidError({ field: '', message: 'a stored task is larger than is allowed' });
  try {
    return JSON.parse(json);
  } catch {
    throw invalidError({ field: '', message: 'a stored task must be JSON' });
  }
}
