import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGit } from '../../../src/git/git.ts';
import { readBase } from '../../../src/git/land.ts';
import { type RebaseResult, rebaseOnto } from '../../../src/git/rebase.ts';
import {
  advance,
  by,
  changed,
  commitAll,
  committed,
  type Fixture,
  fixture,
  startRun,
  type Work,
  write,
} from './support.ts';

async function rebase({ mirror }: Fixture, { workspace, start, commit }: Work): Promise<RebaseResult> {
  const { tip } = await readBase(mirror, {});
  return rebaseOnto(mirror, { workspaceDir: workspace.dir, commit, baseOid: start.baseOid, tip });
}

async function rebased(room: Fixture, work: Work): Promise<string> {
  const result = await rebase(room, work);
  if (result.kind !== 'rebased') throw new Error(`conflict in ${result.paths.join(', ')}`);
  return result.commit;
}

interface Edit {
  readonly file: string;
  readonly line: number;
  readonly word: string;
}

/** A commit in which lines have become another word. */
function makeEdits(dir: string, edits: readonly Edit[], message: string): void {
  for (const { file, line, word } of edits) {
    const path = join(dir, file);
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    lines[line] = word;
    write(dir, { [file]: Array.from(lines, (text) => text ?? '').join('\n') });
  }
  by(dir, 'add', '--all');
  by(dir, 'commit', '--quiet', '--allow-empty', '--message', message);
}

/** The messages and the tree of a rebase, or the files in conflict. */
function told(dir: string, result: RebaseResult): string[] {
  if (result.kind === 'conflict') return ['conflict', ...result.paths];
  return [by(dir, 'log', '--format=%s', result.commit), by(dir, 'rev-parse', `${result.commit}^{tree}`)];
}

/** The same by a person's own git. */
function plainRebase(person: string, dir: string): string[] {
  by(person, 'fetch', '--quiet', dir, 'task/one');
  by(person, 'checkout', '--quiet', '--detach', 'FETCH_HEAD');
  try {
    by(person, 'rebase', '--quiet', '--empty=drop', '--no-keep-empty', 'origin/main');
  } catch {
    return ['conflict', ...by(person, 'diff', '--name-only', '--diff-filter=U').split('\n')];
  }
  return told(person, { kind: 'rebased', commit: 'HEAD', changed: true });
}

describe('rebasing', () => {
  it('answers the commit itself when base has not moved', async () => {
    const room = await fixture();
    const work = await changed(room, { 'new.txt': 'n' });
    expect(await rebase(room, work)).toEqual({ kind: 'rebased', commit: work.commit, changed: false });
  });

  it('answers the commit itself when a step has merged the newest base already', async () => {
    const room = await fixture();
    advance(room, { 'person.txt': 'p' });
    await room.mirror.fetch();
    const run = await startRun(room, 'task/one');
    by(run.workspace.dir, 'merge', '--quiet', 'origin/main');
    write(run.workspace.dir, { 'new.txt': 'n' });
    const work = await committed(room, run);
    const start = { ...run.start, baseOid: room.first };
    expect(await rebase(room, { ...work, start })).toEqual({ kind: 'rebased', commit: work.commit, changed: false });
  });

  it('replays every commit with its author, date, message and trailers', async () => {
    const room = await fixture();
    const run = await startRun(room, 'task/one');
    const { dir } = run.workspace;
    write(dir, { 'step.txt': 's' });
    by(dir, 'add', '--all');
    const message = 'Größe: a step\n\nwith a body\n\nReviewed-by: Grace <grace@example.com>\n';
    by(dir, 'commit', '--quiet', '--author=Grace <grace@example.com>', '--date=@1000000000 +0530', '-m', message);
    write(dir, { 'src/auth/login.ts': 'changed\n' });
    const work = await committed(room, run);
    const tip = advance(room, { 'README.md': 'read it again\n' });

    const result = await rebase(room, work);
    expect(result).toMatchObject({ kind: 'rebased', changed: true });
    const commit = result.kind === 'rebased' ? result.commit : '';
    const format = '--format=%an|%ae|%ad|%cn|%ce|%B';
    const described = (range: string) => by(room.mirror.dir, 'log', '--date=raw', format, range);
    expect(described(`${tip}..${commit}`)).toBe(described(`${room.first}..${work.commit}`));
    expect(described(commit)).toContain('Signalbox-Task: task/one');
    expect(by(room.mirror.dir, 'rev-list', '--count', `${tip}..${commit}`)).toBe('2');
    expect(by(room.mirror.dir, 'show', `${commit}:README.md`)).toBe('read it again');
    expect(by(room.mirror.dir, 'show', `${commit}:src/auth/login.ts`)).toBe('changed');
    expect(by(room.mirror.dir, 'fsck', '--no-dangling')).toBe('');
  });

  it('merges changes in the same file, and follows a file that base has renamed', async () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const text = (change: Record<number, string>) =>
      `${lines.map((line, index) => change[index] ?? line).join('\n')}\n`;
    const room = await fixture({ 'a.txt': text({}), 'b.txt': text({ 9: 'other' }) });
    const work = await changed(room, { 'a.txt': text({ 1: 'ours' }), 'b.txt': text({ 1: 'ours', 9: 'other' }) });
    by(room.person, 'mv', 'b.txt', 'moved.txt');
    by(room.person, 'commit', '--quiet', '-m', 'renamed');
    advance(room, { 'a.txt': text({ 18: 'theirs' }) });
    const commit = await rebased(room, work);
    const expected = text({ 1: 'ours', 18: 'theirs' }).trimEnd();
    expect(by(room.mirror.dir, 'show', `${commit}:a.txt`)).toBe(expected);
    expect(by(room.mirror.dir, 'show', `${commit}:moved.txt`)).toBe(text({ 1: 'ours', 9: 'other' }).trimEnd());
  });

  it('names the files in conflict, and leaves the workspace alone', async () => {
    const room = await fixture();
    const work = await changed(room, { 'src/auth/login.ts': 'ours\n', 'odd\nname': 'ours', 'fine.txt': 'f' });
    advance(room, { 'src/auth/login.ts': 'theirs\n', 'odd\nname': 'theirs' });
    expect(await rebase(room, work)).toEqual({ kind: 'conflict', paths: ['odd\nname', 'src/auth/login.ts'] });
    expect(by(work.workspace.dir, 'rev-parse', 'HEAD')).toBe(work.commit);
    expect(by(work.workspace.dir, 'status', '--porcelain')).toBe('');
  });

  it('leaves out what base has already', async () => {
    const room = await fixture();
    const work = await changed(room, { 'new.txt': 'n' });
    const tip = advance(room, { 'new.txt': 'n' });
    expect(await rebase(room, work)).toEqual({ kind: 'rebased', commit: tip, changed: true });
  });

  it('brings the commits of the branch from before the run, too', async () => {
    const room = await fixture();
    by(room.person, 'checkout', '--quiet', '-b', 'task/one');
    write(room.person, { 'earlier.txt': 'e' });
    commitAll(room.person, 'earlier');
    by(room.person, 'push', '--quiet', 'origin', 'task/one');
    by(room.person, 'checkout', '--quiet', 'main');
    const work = await changed(room, { 'new.txt': 'n' });
    const tip = advance(room, { 'person.txt': 'p' });
    const commit = await rebased(room, work);
    expect(by(room.mirror.dir, 'diff', '--name-only', tip, commit)).toBe('earlier.txt\nnew.txt');
  });

  it('does not bring back what base has dropped', async () => {
    const room = await fixture();
    const dropped = advance(room, { 'dropped.txt': 'd' });
    const work = await changed(room, { 'new.txt': 'n' });
    expect(work.start.baseOid).toBe(dropped);
    by(room.person, 'push', '--quiet', '--force', 'origin', `${room.first}:main`);
    const commit = await rebased(room, work);
    expect(by(room.mirror.dir, 'diff', '--name-only', room.first, commit)).toBe('new.txt');
    expect(by(room.mirror.dir, 'rev-parse', `${commit}^`)).toBe(room.first);
  });

  it('keeps a merge that a step made, with how it was solved', async () => {
    const room = await fixture();
    const run = await startRun(room, 'task/one');
    const { dir } = run.workspace;
    by(dir, 'checkout', '--quiet', '-b', 'side');
    write(dir, { 'README.md': 'side\n', 'side.txt': 's' });
    const side = commitAll(dir);
    by(dir, 'checkout', '--quiet', 'task/one');
    write(dir, { 'README.md': 'one\n' });
    commitAll(dir);
    expect(() => by(dir, 'merge', 'side')).toThrow('git merge side');
    write(dir, { 'README.md': 'both\n' });
    commitAll(dir, 'merged');
    write(dir, { 'after.txt': 'a' });
    const work = await committed(room, run);
    const tip = advance(room, { 'person.txt': 'p' });
    const commit = await rebased(room, work);
    expect(by(room.mirror.dir, 'show', `${commit}:README.md`)).toBe('both');
    expect(by(room.mirror.dir, 'show', `${commit}:side.txt`)).toBe('s');
    expect(by(room.mirror.dir, 'rev-parse', `${commit}^^2`)).toBe(side);
    expect(by(room.mirror.dir, 'merge-base', tip, commit)).toBe(tip);
  });

  it('comes to what `git rebase` comes to, in any two histories', { timeout: 120_000 }, async () => {
    const file = fc.constantFrom('a.txt', 'b.txt', 'new.txt');
    const line = fc.nat({ max: 11 });
    const edit = fc.record({ file, line, word: fc.constantFrom('x', 'y') });
    const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
    let conflicts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 3 }), edits, async (ours, theirs) => {
        const blank = Array.from({ length: 12 }, (_, index) => `line ${index}`).join('\n');
        const room = await fixture({ 'a.txt': blank, 'b.txt': blank });
        const run = await startRun(room, 'task/one');
        for (const [index, commit] of ours.entries()) makeEdits(run.workspace.dir, commit, `ours ${index}`);
        const commit = by(run.workspace.dir, 'rev-parse', 'HEAD');
        makeEdits(room.person, theirs, 'theirs');
        by(room.person, 'push', '--quiet', 'origin', 'main');
        const result = await rebase(room, { ...run, commit });
        conflicts += result.kind === 'conflict' ? 1 : 0;
        expect(told(room.mirror.dir, result)).toEqual(plainRebase(room.person, run.workspace.dir));
      }),
      { numRuns: 25 },
    );
    expect(conflicts).toBeGreaterThan(0);
    expect(conflicts).toBeLessThan(25);
  });

  it('merges as the attributes of the repository say', async () => {
    const room = await fixture({
      '.gitattributes': 'log merge=union\nlock -merge\n',
      log: 'a\n',
      lock: '1\n2\n3\n4\n',
    });
    const work = await changed(room, { log: 'a\nours\n' });
    advance(room, { log: 'a\ntheirs\n' });
    const commit = await rebased(room, work);
    expect(by(room.mirror.dir, 'show', `${commit}:log`).split('\n').sort()).toEqual(['a', 'ours', 'theirs']);
    rmSync(work.workspace.dir, { recursive: true });
    const locked = await changed(room, { lock: '1\n2\n3\nours\n' });
    advance(room, { lock: 'theirs\n2\n3\n4\n' });
    expect(await rebase(room, locked)).toEqual({ kind: 'conflict', paths: ['lock'] });
  });

  it('says so when git is too old', async () => {
    const room = await fixture();
    const work = await changed(room, { 'new.txt': 'n' });
    advance(room, { 'person.txt': 'p' });
    // git before 2.38 answers an option that it does not know with its usage and this code.
    const old = join(room.root, 'git');
    const real = by(room.root, '-c', 'alias.where=!command -v git', 'where');
    writeFileSync(old, `#!/bin/sh\n[ "$1" = merge-tree ] && exit 129\nexec '${real}' "$@"\n`);
    chmodSync(old, 0o755);
    const git = createGit({ env: { ...process.env, PATH: `${room.root}:${process.env['PATH']}` } });
    await expect(rebase({ ...room, mirror: { ...room.mirror, git } }, work)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('too old'),
    });
  });
});
