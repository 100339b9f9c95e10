import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  branchNode,
  claimSet,
  coverage,
  foldersAbove,
  isExplicit,
  MAX_NODES,
  parseNode,
  pathNode,
  resourceOf,
} from '../../../src/claims/claim-set.ts';
import { claimedPath, foldPath } from '../../../src/task/paths.ts';
import { exclude, spec } from '../../support/claims.ts';

/** Few names, so that random paths meet. */
const part = fc.constantFrom('a', 'b', 'B', 'é', 'e\u0301', '[x]');
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const paths = fc.array(path, { maxLength: 4 });
const declared = fc.record({ write: paths, read: paths });

/** A path and a glob that matches it, made by putting wildcards in the place of what the path has. */
const match = fc
  .array(fc.tuple(part, fc.constantFrom('same', '*', '**', '?', '{}', 'half')), { minLength: 1, maxLength: 5 })
  .map((parts) => ({
    path: parts.map(([name]) => name).join('/'),
    glob: parts.map(([name, kind]) => wildcard(name, kind)).join('/'),
  }));

function wildcard(name: string, kind: string): string {
  if (kind === 'same') return name;
  if (kind === '?') return '?'.repeat(name.length);
  if (kind === '{}') return `{${name},zz}`;
  return kind === 'half' ? `${name.slice(0, 1)}*` : kind;
}

function modesOf(claim: Parameters<typeof spec>[0]): Record<string, string> {
  return Object.fromEntries(claimSet(spec(claim)).map(({ name, mode }) => [parseNode(name).value, mode]));
}

function overlap(one: string, other: string): boolean {
  return coverage([one])(claimedPath(other)) || coverage([other])(claimedPath(one));
}

describe('a claim set', () => {
  test('writes its path and announces it on every folder above', () => {
    expect(modesOf({ write: ['src/auth/login.ts'] })).toEqual({
      '': 'IX',
      src: 'IX',
      'src/auth': 'IX',
      'src/auth/login.ts': 'X',
    });
    expect(modesOf({ read: ['src/db'] })).toEqual({ '': 'IS', src: 'IS', 'src/db': 'S' });
  });

  test('has the branch first, and only that if nothing else is claimed', () => {
    expect(claimSet(spec({ branch: 'Main' }))).toEqual([
      { name: branchNode(spec({}).repoKey, 'Main'), mode: 'X', shown: 'Main' },
    ]);
    expect(claimSet(spec({ branch: 'main', write: ['a'] }))[0]?.shown).toBe('main');
  });

  test('reads a folder whole and writes a part of it by SIX', () => {
    expect(modesOf({ read: ['src'], write: ['src/a'] })).toEqual({ '': 'IX', src: 'SIX', 'src/a': 'X' });
  });

  test('holds no node below one that is wholly held', () => {
    expect(modesOf({ write: ['src/**', 'src/a/b'], read: ['src/c'] })).toEqual({ '': 'IX', src: 'X' });
    expect(modesOf({ read: ['src', 'src/a/b'] })).toEqual({ '': 'IS', src: 'S' });
  });

  test('excludes another exactly if one writes what the other writes or reads', () => {
    fc.assert(
      fc.property(declared, declared, (mine, theirs) => {
        const meet = (ours: string[], others: string[]) => ours.some((one) => others.some((two) => overlap(one, two)));
        const expected = meet(mine.write, [...theirs.write, ...theirs.read]) || meet(mine.read, theirs.write);
        expect(exclude(spec(mine), spec(theirs))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same for the same claim in any order and spelling', () => {
    fc.assert(
      fc.property(paths, (write) => {
        const names = (list: string[]) => claimSet(spec({ write: list })).map(({ name, mode }) => `${mode} ${name}`);
        expect(names([...write].reverse())).toEqual(names(write));
        expect(names(write.map((one) => `./${one.toUpperCase()}//`))).toEqual(names(write));
      }),
    );
  });

  test('covers whatever its globs match', () => {
    fc.assert(
      fc.property(match, ({ glob, path: matched }) => {
        expect(coverage([glob])(matched)).toBe(true);
        expect(exclude(spec({ write: [glob] }), spec({ read: [matched] }))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('names each node once, a folder before what is in it', () => {
    fc.assert(
      fc.property(paths, paths, (write, read) => {
        const names = claimSet(spec({ write, read })).map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        for (const [at, name] of names.entries()) {
          const above = foldersAbove(parseNode(name).value).map((folder) => pathNode(spec({}).repoKey, folder));
          expect(names.slice(at + 1).filter((later) => above.includes(later))).toEqual([]);
        }
      }),
    );
  });

  test('on another repository excludes nothing', () => {
    const everything = { branch: 'main', write: ['**'] };
    expect(exclude(spec(everything), spec({ ...everything, repoKey: 'git.example.com/acme/web' }))).toBe(false);
  });
});

describe('a claim of very many paths', () => {
  const folder = fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 })).map(([one, two]) => `d${one}/e${two}`);
  const many = fc.array(
    fc.tuple(folder, fc.nat({ max: 9_999 })).map(([dir, file]) => `${dir}/f${file}.ts`),
    { minLength: MAX_NODES + 500, maxLength: MAX_NODES + 1_000, size: 'max' },
  );

  test('is widened to folders until it has no more nodes than are allowed, and still covers every path', () => {
    fc.assert(
      fc.property(many, (write) => {
        const nodes = claimSet(spec({ write }));
        expect(nodes.length).toBeLessThanOrEqual(MAX_NODES);
        const held = new Set(nodes.filter(isExplicit).map(({ name }) => parseNode(name).value));
        for (const one of write) {
          expect([foldPath(one), ...foldersAbove(foldPath(one))].some((above) => held.has(above))).toBe(true);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('becomes the whole repository if even its folders are too many', () => {
    const write = Array.from({ length: MAX_NODES + 1 }, (_, i) => `folder-${i}/file`);
    expect(modesOf({ write })).toEqual({ '': 'X' });
  });

  test('stays as it is when it has just as many as are allowed', () => {
    const write = Array.from({ length: MAX_NODES - 1 }, (_, i) => `file-${i}`);
    expect(claimSet(spec({ write }))).toHaveLength(MAX_NODES);
  });
});

describe('the name of a node', () => {
  test('tells repository, kind and value, whatever characters they have', () => {
    const text = fc.string({ minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, text, (repo, value) => {
        expect(parseNode(branchNode(repo, value))).toEqual({ repo, kind: 'branch', value });
        expect(parseNode(pathNode(repo, value))).toEqual({ repo, kind: 'path', value });
      }),
    );
    expect(branchNode('a#b', 'c')).not.toBe(branchNode('a', 'b#c'));
  });

  test('is shown as it was submitted', () => {
    const nodes = claimSet(spec({ branch: 'Fix/Login', write: ['Src/Login.ts', '**'] }));
    expect(nodes.map(resourceOf)).toEqual(['branch:Fix/Login', 'path:.']);
    expect(claimSet(spec({ write: ['Src/Login.ts'] })).map(resourceOf)).toEqual([
      'path:.',
      'path:Src',
      'path:Src/Login.ts',
    ]);
  });
});
