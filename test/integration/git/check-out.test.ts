import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { savePatch } from '../../../src/git/changes.ts';
import { checkOut } from '../../../src/git/check-out.ts';
import { readBase } from '../../../src/git/land.ts';
import { rebaseOnto } from '../../../src/git/rebase.ts';
import { snapshot } from '../../../src/git/snapshot.ts';
import { advance, by, changed, type Fixture, fixture, type Work, write } from './support.ts';

describe('checking out the rebased commit', () => {
  const put = async (room: Fixture, work: Work) => {
    const { start, workspace, commit } = work;
    const { tip } = await readBase(room.mirror, {});
    const request = { workspaceDir: workspace.dir, commit, baseOid: start.baseOid, tip };
    const result = await rebaseOnto(room.mirror, request);
    if (result.kind !== 'rebased') throw new Error(`conflict in ${result.paths.join(', ')}`);
    await checkOut(room.mirror, { dir: workspace.dir, commit: result.commit, startOid: tip });
    return result.commit;
  };

  it('makes the files, the index and the branch be it; what git ignores and what is new stays', async () => {
    const room = await fixture({ '.gitignore': 'node_modules\n', gone: 'g', 'kept.txt': 'k\n' });
    const work = await changed(room, { 'new.txt': 'n\n', 'node_modules/pkg/index.js': 'module\n' });
    const { dir } = work.workspace;
    write(dir, { 'kept.txt': 'dirtied by a test\n', 'left.txt': 'left\n' });
    by(room.person, 'rm', '--quiet', 'gone');
    by(room.person, 'commit', '--quiet', '-m', 'deleted');
    advance(room, { 'person.txt': 'p\n' });
    const commit = await put(room, work);
    expect(by(dir, 'rev-parse', 'HEAD', 'task/one')).toBe(`${commit}\n${commit}`);
    expect(by(dir, 'symbolic-ref', 'HEAD')).toBe('refs/heads/task/one');
    expect(by(dir, 'status', '--porcelain')).toBe('?? left.txt');
    const read = (path: string) => readFileSync(join(dir, path), 'utf8');
    expect([read('kept.txt'), read('new.txt'), read('person.txt')]).toEqual(['k\n', 'n\n', 'p\n']);
    expect(read('node_modules/pkg/index.js')).toBe('module\n');
    expect(existsSync(join(dir, 'gone'))).toBe(false);
  });

  it('lets the work be counted from the new base: a saved patch holds nothing of it', async () => {
    const room = await fixture();
    const work = await changed(room, { 'new.txt': 'n\n' });
    advance(room, { 'person.txt': 'p\n' });
    const commit = await put(room, work);
    const file = join(room.root, 'saved.patch');
    const saved = async () => {
      await savePatch(room.git, { dir: work.workspace.dir, file });
      return by(room.person, 'apply', '--numstat', file);
    };
    expect(await saved()).toBe('1\t0\tnew.txt');
    write(work.workspace.dir, { 'more.txt': 'm\n' });
    const next = await snapshot(room.git, { dir: work.workspace.dir, message: 'more' });
    expect(next.filesChanged).toEqual(['more.txt', 'new.txt']);
    expect(by(work.workspace.dir, 'rev-parse', `${next.commit}^`)).toBe(commit);
    rmSync(join(work.workspace.dir, '.git'), { recursive: true });
    expect(await saved()).toBe('1\t0\tmore.txt\n1\t0\tnew.txt');
  });

  it('does not widen a claimed checkout, and keeps what a step has written outside it', async () => {
    const room = await fixture();
    const work = await changed(
      room,
      { 'docs/guide.md': 'changed\n', 'src/auth/extra.ts': 'extra\n' },
      { cone: ['docs'] },
    );
    const { dir } = work.workspace;
    advance(room, { 'src/db/schema.ts': 'new schema\n', 'docs/more.md': 'more\n' });
    const commit = await put(room, work);
    expect(readFileSync(join(dir, 'docs/more.md'), 'utf8')).toBe('more\n');
    expect(readFileSync(join(dir, 'src/auth/extra.ts'), 'utf8')).toBe('extra\n');
    expect(existsSync(join(dir, 'src/db/schema.ts'))).toBe(false);
    const next = await snapshot(room.git, { dir, message: 'nothing more' });
    expect(next).toEqual({ commit, filesChanged: ['docs/guide.md', 'src/auth/extra.ts'] });
    rmSync(join(dir, '.git'), { recursive: true });
    const file = join(room.root, 'saved.patch');
    await savePatch(room.git, { dir, file });
    expect(by(room.person, 'apply', '--numstat', file)).toBe('1\t1\tdocs/guide.md\n1\t0\tsrc/auth/extra.ts');
  });
});
