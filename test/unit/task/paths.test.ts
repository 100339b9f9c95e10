import { matchesGlob } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimedPath, claimPathProblem, foldPath, normalizeClaimPath } from '../../../src/task/paths.ts';
import { refusal } from './support.ts';

describe('a claimed path', () => {
  test.each([
    ['src/auth/login.ts', 'src/auth/login.ts'],
    ['./a//b/', 'a/b'],
    ['A/b', 'a/b'],
    ['src/auth/**', 'src/auth'],
    ['src/*.ts', 'src'],
    ['src/a?c/x', 'src'],
    ['src/{a,b}/x', 'src'],
    ['app/[id]/page.tsx', 'app/[id]/page.tsx'],
    ['**', ''],
    ['*', ''],
    ['.', ''],
    ['./', ''],
    ['.github/workflows', '.github/workflows'],
    ['.gitignore', '.gitignore'],
    ['a.git/b', 'a.git/b'],
    ['Straße', 'strasse'],
    ['ΟΔΟΣ', 'οδοσ'],
  ])('%s is called %j', (pattern, name) => {
    expect(claimedPath(pattern)).toBe(name);
  });

  test('is shown as it was spelled, and says whether it was a glob', () => {
    expect(normalizeClaimPath('./Src/Auth/**')).toEqual({ name: 'src/auth', shown: 'Src/Auth', glob: true });
    expect(normalizeClaimPath('Src//Auth/')).toEqual({ name: 'src/auth', shown: 'Src/Auth', glob: false });
  });

  test.each([
    '',
    '/',
    '/etc',
    'C:/x',
    'c:',
    '..',
    'a/..',
    '../x',
    'a/../b',
    '**/..',
    'a\0b',
    'a\nb',
    'a\\b',
    '.git',
    '.GIT/config',
    'sub/.Git/hooks',
    '.git ',
    '.git.',
    '.git. .',
    'git~1',
    'GIT~1/x',
    '.git::$INDEX_ALLOCATION',
    '.g\u200cit',
    '.git\ufeff',
    'x'.repeat(256),
    'é'.repeat(128),
    `${'a/'.repeat(2047)}xx`,
  ])('is refused: %j', (pattern) => {
    expect(refusal(() => normalizeClaimPath(pattern))).toMatchObject({ code: 'INVALID' });
    expect(claimPathProblem(pattern)).toMatch(/^must /);
  });

  test('may be as long as a file system takes', () => {
    expect(claimPathProblem(`${'a/'.repeat(2047)}x`)).toBeUndefined();
    expect(claimPathProblem('x'.repeat(255))).toBeUndefined();
  });
});

const part = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }),
  fc.constantFrom('src', 'Auth', 'ß', 'É', 'E\u0301', 'İ', 'ς', '[id]', 'ﬁ', '.', ''),
);
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const literal = path.filter((text) => claimPathProblem(text) === undefined && !/[*?{}]/.test(text));

describe('whatever the path', () => {
  test('normalising twice changes nothing', () => {
    fc.assert(
      fc.property(literal, (text) => {
        const once = normalizeClaimPath(text);
        if (once.name === '') return;
        expect(normalizeClaimPath(once.name).name).toBe(once.name);
        expect(normalizeClaimPath(once.shown)).toEqual(once);
      }),
    );
  });

  test('all its spellings have one name', () => {
    fc.assert(
      fc.property(literal, (text) => {
        const name = claimedPath(text);
        for (const other of [
          text.normalize('NFD'),
          text.normalize('NFC'),
          `./${text}/`,
          text.replaceAll('/', '//./'),
        ]) {
          if (claimPathProblem(other) === undefined) expect(claimedPath(other)).toBe(name);
        }
      }),
    );
  });

  test('a glob claims a folder that holds all it matches', () => {
    const glob = fc.array(fc.constantFrom('a', 'b', 'A', '*', '**', '?', 'a*', '{a,b}', '{a,b/a}', 'ab'), {
      minLength: 1,
      maxLength: 4,
    });
    const file = fc.array(fc.constantFrom('a', 'b', 'A', 'ab'), { minLength: 1, maxLength: 4 });
    let matched = 0;
    fc.assert(
      fc.property(glob, file, (globParts, fileParts) => {
        const pattern = globParts.join('/');
        const name = foldPath(fileParts.join('/'));
        if (!matchesGlob(fileParts.join('/'), pattern)) return;
        matched += 1;
        const claimed = claimedPath(pattern);
        expect(claimed === '' || name === claimed || name.startsWith(`${claimed}/`)).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(matched).toBeGreaterThan(100);
  });
});

test('every letter folds to one name, whatever its case and composition', () => {
  const wrong: string[] = [];
  for (let code = 0x20; code <= 0x1ffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const letter = String.fromCodePoint(code);
    const folded = foldPath(letter);
    const spellings = [
      folded,
      letter.toLowerCase(),
      letter.toUpperCase(),
      letter.normalize('NFD'),
      letter.normalize('NFC'),
    ];
    if (spellings.some((spelling) => foldPath(spelling) !== folded)) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
});
