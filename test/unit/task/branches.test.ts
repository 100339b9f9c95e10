import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { branchProblem, checkBranch, defaultBranch } from '../../../src/task/branches.ts';
import { newIncarnation, newTaskId } from '../../../src/task/ids.ts';
import { refusal } from './support.ts';

/** What git itself says, asked outside any repository. */
function gitAccepts(name: string): boolean {
  try {
    execFileSync('git', ['check-ref-format', '--branch', name], { stdio: 'ignore', cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

const GOOD = [
  'main',
  'task/login-rate-limit',
  '1.2',
  'a@b',
  'ü/ß',
  'a.b',
  'a-',
  'x/y/z',
  'a.locked',
  '日本',
  'a{b}',
  'head',
];
const BAD = [
  ...['', '-x', '--upload-pack=touch', 'a..b', 'x.lock', 'x.lock/y', '@{', 'a@{1}', '/a', 'a/', 'a//b', '.a', 'a/.b'],
  ...['a.', 'a b', 'a~', 'a^', 'a:b', 'a?', 'a*', 'a[', 'a\\b', 'a\tb', 'a\u007f', 'a\nb', 'HEAD'],
];
/** What git takes and this does not: refused because it passes for something else. */
const STRICTER = ['@', '_x', '{x', '+x', 'refs/heads/x', 'x'.repeat(251), '🚂'];

describe('a branch name', () => {
  test.each(GOOD)('%j is accepted, by git too', (name) => {
    expect(checkBranch(name)).toBe(name);
    expect(gitAccepts(name)).toBe(true);
  });

  test.each(BAD)('%j is refused, by git too or because it passes for an option', (name) => {
    expect(refusal(() => checkBranch(name))).toMatchObject({ code: 'INVALID', field: 'branch' });
    expect(gitAccepts(name) && !name.startsWith('-')).toBe(false);
  });

  test.each(STRICTER)('%j is refused, though git takes it', (name) => {
    expect(branchProblem(name)).toMatch(/^must /);
    expect(gitAccepts(name)).toBe(true);
  });

  test('that is accepted is accepted by git, and the other way round but for the stricter rules', {
    timeout: 60_000, // one git process for each name
  }, () => {
    const letter = fc.constantFrom(
      ...Array.from('aZ9ü/.-_@{}[]~^:?*\\ \t\u007f'),
      '..',
      '.lock',
      '@{',
      '//',
      'HEAD',
      'refs/',
      '日',
    );
    const name = fc.array(letter, { minLength: 1, maxLength: 6 }).map((letters) => letters.join(''));
    const stricter = /^[^\p{L}\p{N}]|^refs\//u;
    let accepted = 0;
    fc.assert(
      fc.property(name, (text) => {
        const ours = branchProblem(text) === undefined;
        accepted += ours ? 1 : 0;
        const git = gitAccepts(text);
        if (ours || !stricter.test(text)) expect({ text, accepted: ours }).toEqual({ text, accepted: git });
      }),
      { numRuns: 200 },
    );
    // Not all names may be bad ones; how many are good is left to chance.
    expect(accepted).toBeGreaterThan(0);
  });

  test('is made from the task’s id when there is none', () => {
    const id = newTaskId(7, newIncarnation());
    expect(checkBranch(defaultBranch(id))).toBe(`signalbox/${id}`);
  });
});
