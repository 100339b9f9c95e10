/**
 * Turns zod's issues into one `INVALID` error that names the field, what was expected, what was given and, where
 * a word was probably mistyped, the nearest right one. Used for tasks and for the configuration.
 */

import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { SignalboxError } from './errors.ts';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** One thing that is wrong: where, and a clause such as `must be a number`. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

/** What to read and how to speak about it. */
export interface ReadOptions {
  /** What the input is, for the message about its root: `a task`. */
  readonly what: string;
  /** Put before every field path, for example `[2]`. */
  readonly prefix?: string;
}

/** Reads `input` by `schema`. Throws `INVALID` for the first problem; all are in `details`. */
export function readBy<T>(schema: z.ZodType<T>, input: unknown, options: ReadOptions): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.map(narrow);
  const problems = issues.map((issue) => problemOf(issue, input, options));
  throw invalidError(problems[Math.max(0, mistyped(issues))] as Problem, problems);
}

/** Where the field that the first issue misses is there under another name, the place of the issue that says so; else -1. */
function mistyped([first, ...others]: readonly Issue[]): number {
  const parent = first?.path.slice(0, -1);
  const missing = String(first?.path.at(-1));
  const found = others.findIndex(
    (issue) =>
      issue.code === 'unrecognized_keys' &&
      parent !== undefined &&
      fieldPath(issue.path) === fieldPath(parent) &&
      issue.keys.slice(0, 1).some((key) => nearMiss(key, [missing]) !== undefined),
  );
  return found < 0 ? -1 : found + 1;
}

/** The `INVALID` error for a problem; `others` are kept as its details. */
export function invalidError(problem: Problem, others: readonly Problem[] = [problem]): SignalboxError {
  return new SignalboxError('INVALID', problem.message, {
    field: problem.field,
    next: 'Correct it and try again.',
    details: { problems: others },
  });
}

/** A strict zod object: an unknown field is refused by name, with the nearest known one. */
export function strict<S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? unknownField(String(issue.keys[0]), Object.keys(shape)) : undefined,
  });
}

/** A zod string that `problem` answers for: `undefined` when it is right, else a clause like `must not be empty`. */
export function checked(problem: (text: string) => string | undefined): z.ZodString {
  return z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** The known word that `word` was probably meant to be: at most `share` of it is mistyped. */
export function nearMiss(word: string, known: readonly string[], share = 0.4): string | undefined {
  if (known.length === 0 || word.length > 60) return undefined;
  const best = closest(
    word.toLowerCase(),
    known.map((name) => name.toLowerCase()),
  );
  const found = known.find((name) => name.toLowerCase() === best) as string;
  return distance(word.toLowerCase(), best) <= Math.ceil(found.length * share) ? found : undefined;
}

/** A value as an error message may show it: short, on one line, without a password in a URL. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return JSON.stringify(value) ?? typeof value;
  return JSON.stringify(clip(withoutPassword(value))).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
}

/** A field path as users write it: `claims.write[0]`, `env["a b"]`. */
export function fieldPath(path: Path, prefix = ''): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = clip(String(part));
    if (!/^[\w$-]+$/.test(name)) return `${text}[${shown(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, prefix);
}

/** An address without what may be secret in it: all before the `@`, and a query. */
function withoutPassword(text: string): string {
  if (text.includes('://')) return text.replace(/:\/\/\S*@/g, '://…@').replace(/\?\S*/, '?…');
  return text.replace(/^[^\s/@]*:[^\s/]*@/, '…@');
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function unknownField(name: string, known: readonly string[]): string {
  const near = nearMiss(name, known);
  const hint = near === undefined ? `the fields here are ${known.join(', ')}` : `did you mean \`${near}\`?`;
  return `unknown field \`${fieldPath([name])}\`: ${hint}`;
}

/** Of a union's failures, the one of the option that was meant: the option whose own type fits the value. */
function narrow(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const meant = issue.errors.find((option) => !option.some((inner) => inner.path.length === 0 && isKind(inner)));
  const first = meant?.[0];
  return first === undefined ? issue : narrow({ ...first, path: [...issue.path, ...first.path] });
}

function isKind(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function problemOf(issue: Issue, input: unknown, options: ReadOptions): Problem {
  const prefix = options.prefix ?? '';
  if (issue.code === 'unrecognized_keys') {
    const parent = fieldPath(issue.path, prefix);
    const field = fieldPath([...issue.path, String(issue.keys[0])], prefix);
    return { field, message: parent === '' ? issue.message : `\`${parent}\`: ${issue.message}` };
  }
  const field = fieldPath(issue.path, prefix);
  const given = valueAt(input, issue.path);
  const subject = field === '' ? options.what : `\`${field}\``;
  if (given === undefined && issue.code !== 'custom')
    return { field, message: `${subject} is missing: it ${clause(issue)}` };
  return { field, message: `${subject} ${clause(issue)}; given ${givenText(issue, given)}` };
}

function givenText(issue: Issue, given: unknown): string {
  if (issue.code === 'invalid_key') return shown(String(issue.path.at(-1)));
  if (isSecret(issue)) return `a ${typeof given}`;
  const isWord = issue.code === 'invalid_value' && typeof given === 'string';
  const near = isWord ? nearMiss(given, issue.values.map(String)) : undefined;
  return near === undefined ? shown(given) : `${shown(given)}: did you mean \`${near}\`?`;
}

/** Whether a field may hold what must not be repeated in a message. */
function isSecret(issue: Issue): boolean {
  const [first] = issue.path;
  // The address of a receiver may be all that it takes to write to it.
  if (first === 'webhooks') return issue.path.length < 3 || issue.path.at(-1) === 'url';
  return ['env', 'token', 'readToken', 'signingKey', 'notify'].some((name) => issue.path.includes(name));
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object with fields',
  record: 'an object of names and values',
};

/** What was expected, as a clause. */
function clause(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.join(', ')}`;
    case 'too_small':
      return size('at least', Number(issue.minimum), issue.origin);
    case 'too_big':
      return size('at most', Number(issue.maximum), issue.origin);
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'must have another name';
    case 'invalid_union':
      return `must be ${unionKinds(issue)}`;
    default:
      return issue.message;
  }
}

function size(bound: string, limit: number, origin: string): string {
  if (origin === 'array') return `must have ${bound} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return `must be ${bound} ${limit}${origin === 'string' ? ' characters' : ''}`;
}

function unionKinds(issue: z.core.$ZodIssueInvalidUnion): string {
  const kinds = issue.errors.flatMap((option) =>
    option.slice(0, 1).map((inner) => clause(inner).replace(/^must be /, '')),
  );
  return [...new Set(kinds)].join(' or ');
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part],
    input,
  );
}
