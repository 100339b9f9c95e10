import { appendFileSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { snapshot } from '../../../src/git/snapshot.ts';
import { by, type Fixture, fixture, startRun, write } from './support.ts';

const take = ({ git }: Fixture, dir: string) =>
  snapshot(git, { dir, message: 'feat: it', trailers: { 'Signalbox-Task': 'T1', 'Signalbox-Run': '3' } });

describe('a snapshot', () => {
  it('commits changed, new and deleted files, with its message and trailers, and leaves the checkout clean', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    write(workspace.dir, { 'README.md': 'changed\n', 'src/new/file.ts': 'new\n' });
    rmSync(join(workspace.dir, 'docs/guide.md'));
    const { commit, filesChanged } = await take(room, workspace.dir);
    expect(filesChanged).toEqual(['README.md', 'docs/guide.md', 'src/new/file.ts']);
    expect(by(workspace.dir, 'rev-parse', 'task/one')).toBe(commit);
    expect(by(workspace.dir, 'status', '--porcelain')).toBe('');
    expect(by(workspace.dir, 'log', '-1', '--format=%an <%ae>%n%P%n%B')).toBe(
      `Signalbox <signalbox@localhost>\n${room.first}\nfeat: it\n\nSignalbox-Task: T1\nSignalbox-Run: 3\n`,
    );
  });

  it('is null when nothing changed', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    expect(await take(room, workspace.dir)).toEqual({ commit: null, filesChanged: [] });
    expect(by(workspace.dir, 'rev-parse', 'HEAD')).toBe(room.first);
  });

  it('keeps commits that steps made, and adds to them only what they left', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    write(workspace.dir, { 'one.txt': '1' });
    by(workspace.dir, 'add', 'one.txt');
    by(workspace.dir, 'commit', '--quiet', '-m', 'by a step');
    const step = by(workspace.dir, 'rev-parse', 'HEAD');
    expect(await take(room, workspace.dir)).toEqual({ commit: step, filesChanged: ['one.txt'] });
    write(workspace.dir, { 'two.txt': '2' });
    const second = await take(room, workspace.dir);
    expect(second.filesChanged).toEqual(['one.txt', 'two.txt']);
    expect(by(workspace.dir, 'rev-parse', `${second.commit}^`)).toBe(step);
  });

  it('takes new files outside the cone, and no file as deleted that was never checked out', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one', ['docs']);
    write(workspace.dir, { 'src/auth/added.ts': 'x', 'elsewhere/deep/file': 'y', 'docs/guide.md': 'z' });
    const { filesChanged } = await take(room, workspace.dir);
    expect(filesChanged).toEqual(['docs/guide.md', 'elsewhere/deep/file', 'src/auth/added.ts']);
  });

  it('follows a step that narrowed or widened its own sparse checkout', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one', ['docs']);
    by(workspace.dir, 'sparse-checkout', 'set', 'src/db');
    expect(existsSync(join(workspace.dir, 'docs'))).toBe(false);
    rmSync(join(workspace.dir, 'src/db/schema.ts'));
    expect((await take(room, workspace.dir)).filesChanged).toEqual(['src/db/schema.ts']);
    by(workspace.dir, 'sparse-checkout', 'disable');
    rmSync(join(workspace.dir, 'src/auth/login.ts'));
    expect((await take(room, workspace.dir)).filesChanged).toEqual(['src/auth/login.ts', 'src/db/schema.ts']);
  });

  it('has the whole name of every file, however odd', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    const names = ['a\nb', 'a"b', 'tab\there', ' lead', 'über/ñ', '日本.txt', '-rf', '*', ':(top)x', 'a\\b', '🚂'];
    write(workspace.dir, Object.fromEntries(names.map((name) => [name, name])));
    const { commit, filesChanged } = await take(room, workspace.dir);
    expect([...filesChanged].sort()).toEqual([...names].sort());
    expect(by(workspace.dir, 'ls-tree', '-r', '-z', '--name-only', commit ?? '').split('\0')).toEqual(
      expect.arrayContaining(names),
    );
  });

  it('names both ends of a rename', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    by(workspace.dir, 'mv', 'docs/guide.md', 'docs/manual.md');
    expect((await take(room, workspace.dir)).filesChanged).toEqual(['docs/guide.md', 'docs/manual.md']);
  });

  it('keeps what a step staged although it is ignored, and leaves out what it excluded', async () => {
    const room = await fixture({ '.gitignore': 'out/\n' });
    const { workspace } = await startRun(room, 'task/one');
    write(workspace.dir, { 'out/kept': 'x', 'out/left': 'x', 'scratch.txt': 'x' });
    by(workspace.dir, 'add', '--force', 'out/kept');
    write(workspace.dir, { '.git/info/exclude': 'scratch.txt\n' });
    expect((await take(room, workspace.dir)).filesChanged).toEqual(['out/kept']);
  });

  it('keeps work on a detached HEAD and on another branch that goes on from the start', async () => {
    const room = await fixture();
    for (const how of [['--detach'], ['-b', 'other/name']]) {
      const { workspace } = await startRun(room, 'task/one');
      by(workspace.dir, 'checkout', '--quiet', ...how);
      write(workspace.dir, { 'one.txt': '1' });
      by(workspace.dir, 'add', 'one.txt');
      by(workspace.dir, 'commit', '--quiet', '-m', 'by a step');
      by(workspace.dir, 'pack-refs', '--all');
      write(workspace.dir, { 'two.txt': '2' });
      const { commit, filesChanged } = await take(room, workspace.dir);
      expect(filesChanged).toEqual(['one.txt', 'two.txt']);
      expect(by(workspace.dir, 'rev-parse', 'HEAD')).toBe(commit);
      expect(by(workspace.dir, 'status', '--porcelain')).toBe('');
    }
  });

  it('goes on after a step that was killed while it held the index, and with a split index', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    by(workspace.dir, 'update-index', '--split-index');
    write(workspace.dir, { 'one.txt': '1', '.git/index.lock': '' });
    expect((await take(room, workspace.dir)).filesChanged).toEqual(['one.txt']);
    expect(by(workspace.dir, 'status', '--porcelain')).toBe('');
  });

  const damages: [string, string, (dir: string, room: Fixture) => void][] = [
    ['.git was deleted', '.git is missing', (dir) => rmSync(join(dir, '.git'), { recursive: true })],
    ['the index was deleted', '.git/index is missing', (dir) => rmSync(join(dir, '.git/index'))],
    ['history was rewritten', 'does not descend', (dir) => by(dir, 'commit', '--quiet', '--amend', '-m', 'other')],
    ['a new history was begun', 'has no commit', (dir) => by(dir, 'checkout', '--quiet', '--orphan', 'fresh')],
    ['HEAD names nothing', 'no commit here', (dir) => writeFileSync(join(dir, '.git/HEAD'), `${'a'.repeat(40)}\n`)],
    [
      'HEAD leads out',
      'neither a commit nor a branch',
      (dir) => writeFileSync(join(dir, '.git/HEAD'), 'ref: refs/heads/../../x\n'),
    ],
    [
      'a folder of refs is a link',
      'is not a folder',
      (dir) => {
        rmSync(join(dir, '.git/refs/heads'), { recursive: true });
        symlinkSync('/tmp', join(dir, '.git/refs/heads'));
      },
    ],
    [
      'a merge is unfinished',
      'unfinished merge',
      (dir) => {
        by(dir, 'checkout', '--quiet', '-b', 'side');
        write(dir, { 'README.md': 'side\n' });
        by(dir, 'commit', '--quiet', '-am', 'side');
        by(dir, 'checkout', '--quiet', '-');
        write(dir, { 'README.md': 'here\n' });
        by(dir, 'commit', '--quiet', '-am', 'here');
        expect(() => by(dir, 'merge', 'side')).toThrow();
      },
    ],
  ];
  it.each(damages)('is refused when %s', async (_, message, damage) => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    damage(workspace.dir, room);
    const refused = { code: 'WORKSPACE', message: expect.stringContaining(message) };
    await expect(take(room, workspace.dir)).rejects.toMatchObject(refused);
  });

  it('is refused when .git was replaced by another repository', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    rmSync(join(workspace.dir, '.git'), { recursive: true });
    by(workspace.dir, 'init', '--quiet');
    by(workspace.dir, 'add', '--all');
    by(workspace.dir, 'commit', '--quiet', '-m', 'mine');
    await expect(take(room, workspace.dir)).rejects.toMatchObject({ code: 'WORKSPACE' });
  });

  it('is not fooled by grafts and replacements that make a foreign history look like ours', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    const { dir } = workspace;
    by(dir, 'commit', '--quiet', '--amend', '-m', 'foreign');
    by(dir, 'replace', '--graft', 'HEAD', room.first);
    appendFileSync(join(dir, '.git/info/grafts'), `${by(dir, 'rev-parse', 'HEAD')} ${room.first}\n`);
    expect(() => by(dir, 'merge-base', '--is-ancestor', room.first, 'HEAD')).not.toThrow();
    await expect(take(room, dir)).rejects.toMatchObject({
      code: 'WORKSPACE',
      message: expect.stringContaining('descend'),
    });
  });

  it('is refused when a repository was put inside the repository; tracked files beside its .git are just files', async () => {
    const room = await fixture();
    const nest = (dir: string) => {
      write(dir, { file: 'x' });
      by(dir, 'init', '--quiet');
      by(dir, 'add', 'file');
      by(dir, 'commit', '--quiet', '-m', 'nested');
    };
    const { workspace } = await startRun(room, 'task/one');
    nest(join(workspace.dir, 'src/db'));
    expect((await take(room, workspace.dir)).filesChanged).toEqual(['src/db/file']);
    nest(join(workspace.dir, 'vendor/new'));
    const refused = { code: 'UNSUPPORTED', details: { path: 'vendor/new' } };
    await expect(take(room, workspace.dir)).rejects.toMatchObject(refused);
  });
});
