/** Whatever words come in: they are refused by an error that names the place, or do no harm further in. */

import { execFileSync } from 'node:child_process';
import { matchesGlob } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SignalboxError } from '../../../src/errors.ts';
import { branchProblem } from '../../../src/task/branches.ts';
import { claimedPath, claimPathProblem } from '../../../src/task/paths.ts';
import { parseRepository, repositoryProblem } from '../../../src/task/repository.ts';
import { parseTask, taskInput } from '../../../src/task/schema.ts';
import { exclude, spec } from '../../support/claims.ts';
import { SMALL_TASK } from './support.ts';

/** What `read` answers, or the error by which it refuses; anything else that it throws fails the test. */
function readOrRefused<T>(read: () => T): T | SignalboxError {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    expect(['INVALID', 'UNSUPPORTED']).toContain(error.code);
    expect(error.message.length).toBeLessThan(1_000);
    expect(error.next).not.toBe('');
    return error;
  }
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '\0',
    '\n',
    '\r\n',
    '"',
    "'",
    '\\',
    '../x',
    '.git',
    '-x',
    '@{',
    'a..b',
    '\u202e',
    '%00',
    '${x}',
    '1e999',
  ),
  fc.constantFrom('__proto__', 'constructor', 'ext::sh', '\ud800', 'x'.repeat(5_000), 'ﬁ', '🚂', 'task:', ''),
);
const anything = fc.oneof(fc.jsonValue(), hostile, fc.anything());
const FIELDS = Object.keys((taskInput as unknown as { def: { in: { shape: object } } }).def.in.shape);

/** What takes a moment takes long on a busy machine. */
const BUSY = { timeout: 60_000 };

describe('a task', BUSY, () => {
  test('with anything in one of its fields is read, or refused with that field named', () => {
    expect(FIELDS).toContain('claims');
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...FIELDS), anything, (field, value) => {
        const result = readOrRefused(() => parseTask({ ...SMALL_TASK, [field]: value }));
        if (!(result instanceof SignalboxError)) return;
        refused += 1;
        expect(result.field?.split(/[.[]/)[0]).toBe(field);
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(30);
  });

  test('with a name of its own or of the language’s that nobody knows is refused by it', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }).filter((name) => !FIELDS.includes(name)),
        (name) => {
          const input = JSON.parse(`{${JSON.stringify(name)}:1}`) as object;
          const result = readOrRefused(() =>
            parseTask(Object.defineProperties({ ...SMALL_TASK }, Object.getOwnPropertyDescriptors(input))),
          );
          expect(result).toBeInstanceOf(SignalboxError);
        },
      ),
    );
  });
});

describe('a name', BUSY, () => {
  test('of a path that is accepted stays in the repository and out of .git, and has no character that a script stumbles on', () => {
    fc.assert(
      fc.property(hostile, fc.array(hostile, { maxLength: 3 }), (first, more) => {
        const text = [first, ...more].join('/');
        if (claimPathProblem(text) !== undefined) return;
        const parts = claimedPath(text).split('/');
        expect(parts).not.toContain('..');
        expect(parts).not.toContain('.git');
        expect(text).not.toMatch(/[\0-\x1f\\]|\p{Surrogate}/u);
      }),
      { numRuns: 1_000 },
    );
  });

  test('of a branch that is accepted is accepted by git, whatever it is made of', () => {
    const name = fc.string({
      unit: fc.oneof(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        fc.constantFrom('a', '/', '.', '-', '@', '{'),
      ),
      minLength: 1,
      maxLength: 8,
    });
    const accepted = [...fc.sample(name, 600), ...fc.sample(hostile, 100)].filter(
      (text) => branchProblem(text) === undefined,
    );
    expect(accepted.length).toBeGreaterThan(5);
    for (const text of accepted.slice(0, 80)) {
      const ask = (): string =>
        execFileSync('git', ['check-ref-format', '--branch', text], { cwd: '/', encoding: 'utf8' });
      expect(ask, JSON.stringify(text)).not.toThrow();
      expect(ask()).toBe(`${text}\n`);
    }
  });

  test('of a repository that is accepted has no password, no foreign transport and nothing that passes for an option', () => {
    const piece = fc.constantFrom(
      'https://',
      'ssh://',
      'git@',
      'me:pw@',
      'h',
      ':',
      '/',
      '@',
      'ext::',
      '-',
      '%0a',
      '\r\n',
      '\t',
      '?',
      '#',
      '\\',
    );
    const repo = fc.oneof(
      hostile,
      fc.array(fc.oneof(piece, hostile), { maxLength: 6 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(repo, (text) => {
        if (repositoryProblem(text) !== undefined) {
          expect(readOrRefused(() => parseRepository(text))).toMatchObject({ code: 'INVALID', field: 'repo' });
          return;
        }
        expect(text).not.toMatch(/^-|^\w+::|[\0-\x1f]|\p{Surrogate}/u);
        const read = parseRepository(text);
        if (read.kind === 'remote' && URL.canParse(text)) expect(new URL(text).password).toBe('');
      }),
      { numRuns: 2_000 },
    );
  });

  test('of a glob claims what it matches: no other task may write such a file meanwhile', () => {
    const part = fc.constantFrom('a', 'b', 'A', '*', '**', '?', 'a*', '{a,b}', 'ab');
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
    let met = 0;
    fc.assert(
      fc.property(
        path,
        fc.array(fc.constantFrom('a', 'b', 'A', 'ab'), { minLength: 1, maxLength: 4 }),
        (glob, file) => {
          if (!matchesGlob(file.join('/'), glob)) return;
          met += 1;
          expect(exclude(spec({ write: [glob] }), spec({ write: [file.join('/')] }))).toBe(true);
          expect(exclude(spec({ read: [glob] }), spec({ write: [file.join('/')] }))).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(met).toBeGreaterThan(100);
  });
});
