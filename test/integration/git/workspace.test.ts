import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveStart } from '../../../src/git/start-point.ts';
import { createWorkspace, proveWorkspace } from '../../../src/git/workspace.ts';
import { removeWorkspace } from '../../../src/git/workspaces.ts';
import { by, FILES, fixture, startRun, write } from './support.ts';

const present = (dir: string) => Object.keys(FILES).filter((path) => existsSync(join(dir, path)));

describe('a workspace', () => {
  it('is a checkout of its own on the branch, without a remote', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    await proveWorkspace(room.mirror, workspace);
    expect(present(workspace.dir)).toEqual(Object.keys(FILES));
    expect(by(workspace.dir, 'status', '--porcelain', '--branch')).toBe('## task/one');
    expect(by(workspace.dir, 'rev-parse', '--show-toplevel')).toBe(workspace.dir);
    expect(by(workspace.dir, 'rev-parse', 'HEAD')).toBe(room.first);
    expect(by(workspace.dir, 'remote')).toBe('');
    expect(by(workspace.dir, 'rev-parse', 'origin/main')).toBe(room.first);
    expect(readFileSync(join(workspace.dir, '.git/config'), 'utf8')).not.toContain('url');
    expect(by(workspace.dir, 'config', 'user.name')).toBe('Signalbox');
  });

  it('borrows objects: what steps commit stays out of the mirror', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    write(workspace.dir, { 'new.txt': 'new' });
    by(workspace.dir, 'add', 'new.txt');
    by(workspace.dir, 'commit', '--quiet', '-m', 'step');
    expect(await room.mirror.resolve(by(workspace.dir, 'rev-parse', 'HEAD'))).toBeUndefined();
    expect(await room.mirror.resolve('refs/heads/task/one')).toBeUndefined();
  });

  it('holds only the claimed folders, the files beside them on the way, and the top', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one', ['src/auth', 'docs/new']);
    await proveWorkspace(room.mirror, workspace);
    expect(present(workspace.dir)).toEqual([
      'README.md',
      'src/auth/login.ts',
      'src/auth/deep/token.ts',
      'docs/guide.md',
    ]);
    expect(by(workspace.dir, 'status', '--porcelain')).toBe('');
  });

  it('takes a claimed file as its folder without what lies deeper, and no path as everything', async () => {
    const room = await fixture();
    const file = await startRun(room, 'task/one', ['src/db/schema.ts']);
    expect(present(file.workspace.dir)).toEqual(['README.md', 'src/db/schema.ts']);
    const all = await startRun(room, 'task/two', ['src/db', '']);
    expect(present(all.workspace.dir)).toEqual(Object.keys(FILES));
  });

  it('works with folders whose names are patterns', async () => {
    const room = await fixture({ 'a[b]*/x': '1', 'a[b]c/x': '2', 'b\\d/x': '3', 'c/x': '4' });
    const { workspace } = await startRun(room, 'task/one', ['a[b]*', 'b\\d']);
    await proveWorkspace(room.mirror, workspace);
    expect(existsSync(join(workspace.dir, 'a[b]*/x'))).toBe(true);
    expect(existsSync(join(workspace.dir, 'b\\d/x'))).toBe(true);
    expect(existsSync(join(workspace.dir, 'a[b]c/x'))).toBe(false);
    expect(existsSync(join(workspace.dir, 'c/x'))).toBe(false);
  });

  it('is made 16 times at once from one mirror', async () => {
    const room = await fixture();
    const runs = await Promise.all(Array.from({ length: 16 }, (_, n) => startRun(room, `task/${n}`)));
    await Promise.all(runs.map(({ workspace }) => proveWorkspace(room.mirror, workspace)));
    expect(new Set(runs.map(({ workspace }) => workspace.dir)).size).toBe(16);
  });

  it('is not proven when it is not what was made', async () => {
    const room = await fixture();
    const spoils: [string, (dir: string) => unknown][] = [
      ['before the first step', (dir) => write(dir, { 'src/new.ts': 'x' })],
      ['before the first step', (dir) => write(dir, { 'README.md': 'other' })],
      ['is not on the branch', (dir) => by(dir, 'checkout', '--quiet', '-b', 'other')],
      ['instead of', (dir) => by(dir, 'commit', '--quiet', '--allow-empty', '-m', 'x')],
      ['.git is not a folder', (dir) => by(dir, 'init', '--quiet', '--separate-git-dir', join(dir, '../elsewhere'))],
    ];
    for (const [message, spoil] of spoils) {
      const { workspace } = await startRun(room, 'task/one');
      spoil(workspace.dir);
      const proof = proveWorkspace(room.mirror, workspace);
      await expect(proof).rejects.toMatchObject({ code: 'WORKSPACE', message: expect.stringContaining(message) });
    }
  });

  it('is refused when its folder is in use', async () => {
    const room = await fixture();
    const { workspace, start } = await startRun(room, 'task/one');
    const request = { mirror: room.mirror, dir: workspace.dir, branch: 'a', startOid: start.startOid };
    await expect(createWorkspace({ ...request, checkout: 'full' })).rejects.toMatchObject({ code: 'WORKSPACE' });
  });

  it('commits as the author it is given', async () => {
    const room = await fixture();
    const { startOid } = await resolveStart(room.mirror, { branch: 'a' });
    const dir = join(room.root, 'own');
    const author = { name: 'Eve "x" \\ #;', email: 'eve@example.com' };
    await createWorkspace({ mirror: room.mirror, dir, branch: 'a', startOid, checkout: 'full', author });
    expect(by(dir, 'config', 'user.name')).toBe(author.name);
  });

  it('is refused for submodules and Git LFS, and not for what only looks like them', async () => {
    const refused = async (files: Record<string, string>) => {
      const run = startRun(await fixture(files), 'task/one');
      await expect(run).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    };
    await refused({ '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = ./x\n' });
    await refused({ 'assets/.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n' });
    await startRun(
      await fixture({ '.gitattributes': '# *.bin filter=lfs\n*.sh eol=lf\n', 'x.gitattributes': '* filter=lfs' }),
      'a',
    );

    const room = await fixture();
    by(room.person, 'update-index', '--add', '--cacheinfo', `160000,${room.first},vendor/sub`);
    by(room.person, 'commit', '--quiet', '-m', 'a link without .gitmodules');
    by(room.person, 'push', '--quiet', 'origin', 'main');
    await expect(startRun(room, 'a')).rejects.toMatchObject({ code: 'UNSUPPORTED', details: { path: 'vendor/sub' } });
  });

  it('is removed with its control folder, also where write permission was taken away', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    write(workspace.dir, { 'locked/deep/file': 'x' });
    writeFileSync(join(workspace.dir, 'locked/file'), 'x', { mode: 0o400 });
    by(workspace.dir, '-c', 'alias.lock=!chmod -R a-w locked', 'lock');
    await removeWorkspace(workspace.dir);
    expect(existsSync(workspace.dir)).toBe(false);
    expect(existsSync(`${workspace.dir}.git`)).toBe(false);
  });
});
