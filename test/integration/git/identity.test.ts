import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGit } from '../../../src/git/git.ts';
import { checkRemote, resolveRepository } from '../../../src/git/identity.ts';
import { by, tempDir } from './support.ts';

const git = createGit({ env: process.env });

describe('a repository', () => {
  it('by its address keeps what the task says', async () => {
    const repository = await resolveRepository(git, 'git@git.example.com:Acme/app.git', '/');
    expect(repository).toMatchObject({ key: 'git.example.com/acme/app', hostBound: false, host: undefined });
  });

  it('by the path of a checkout is its origin', async () => {
    const root = tempDir();
    by(root, 'init', '--quiet', 'app');
    by(join(root, 'app'), 'remote', 'add', 'origin', 'https://git.example.com/acme/app.git');
    mkdirSync(join(root, 'app/src'));
    const expected = { key: 'git.example.com/acme/app', url: 'https://git.example.com/acme/app.git', hostBound: false };
    for (const repo of ['app', join(root, 'app'), './app/', 'app/src']) {
      expect(await resolveRepository(git, repo, root)).toMatchObject(expected);
    }
  });

  it('by a path without an origin belongs to this host, under one name however it is spelled', async () => {
    const root = tempDir();
    by(root, 'init', '--quiet', 'app');
    symlinkSync(join(root, 'app'), join(root, 'link'));
    const path = join(root, 'app');
    for (const repo of ['app', './app/', 'link', path, `file://${path}`, `${path}/.git`, '../app/../app']) {
      expect(await resolveRepository(git, repo, join(root, repo.startsWith('..') ? 'app' : ''))).toEqual({
        key: `local:${hostname()}:${path}`,
        url: path,
        hostBound: true,
        host: hostname(),
      });
    }
  });

  it('by the path of a clone of a clone, of a work tree and of the bare original is one', async () => {
    const root = tempDir();
    by(root, 'init', '--quiet', '--bare', 'origin.git');
    by(root, 'clone', '--quiet', 'origin.git', 'one');
    by(join(root, 'one'), 'remote', 'set-url', 'origin', '../origin.git');
    by(root, 'clone', '--quiet', 'one', 'two');
    by(join(root, 'one'), 'commit', '--quiet', '--allow-empty', '-m', 'x');
    by(join(root, 'one'), 'worktree', 'add', '--quiet', '../tree');
    const keys = await Promise.all(
      ['origin.git', 'one', 'two', 'tree'].map(async (repo) => (await resolveRepository(git, repo, root)).key),
    );
    expect(new Set(keys)).toEqual(new Set([`local:${hostname()}:${join(root, 'origin.git')}`]));
  });

  it('that is not there, is none, or goes round in a circle is refused with the field and what to do', async () => {
    const root = tempDir();
    mkdirSync(join(root, 'empty'));
    writeFileSync(join(root, 'file'), '');
    for (const name of ['a', 'b']) by(root, 'init', '--quiet', name);
    by(join(root, 'a'), 'remote', 'add', 'origin', '../b');
    by(join(root, 'b'), 'remote', 'add', 'origin', '../a');
    for (const repo of ['missing', 'empty', 'file', 'a']) {
      const refused = { code: 'INVALID', field: 'repo', next: expect.stringContaining('path') };
      await expect(resolveRepository(git, repo, root), repo).rejects.toMatchObject(refused);
    }
  });

  it('is checked for being in reach', async () => {
    const root = tempDir();
    by(root, 'init', '--quiet', '--bare', 'origin.git');
    await expect(checkRemote(git, join(root, 'origin.git'))).resolves.toBeUndefined();
    for (const url of [
      join(root, 'missing.git'),
      'https://127.0.0.1:1/acme/app.git',
      'ssh://127.0.0.1:1/acme/app.git',
    ]) {
      await expect(checkRemote(git, url), url).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
    }
  });
});
