import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { ForkServer } from '../../../src/git/fork-server/client.ts';
import { createGit, readUserIdentity } from '../../../src/git/git.ts';
import { startGit } from '../../../src/git/git-process.ts';
import { by, tempDir, write } from './support.ts';

/** A home with a configuration in it, and a `git` in front of the real one when `script` is given. */
function user(config: string, script?: string) {
  const home = tempDir();
  write(home, { '.gitconfig': config });
  const env: Record<string, string> = { PATH: process.env['PATH'] ?? '', HOME: home, SECRET_OF_USER: 'canary' };
  if (script !== undefined) {
    write(home, { 'bin/git': `#!/bin/sh\n${script}\n` });
    chmodSync(join(home, 'bin/git'), 0o755);
    env['PATH'] = `${join(home, 'bin')}:${env['PATH']}`;
  }
  return { home, env };
}

const CONFIG = `
[user]
  name = Ada
  email = ada@example.com
[http "https://git.example.com/"]
  extraHeader = Authorization: Basic c2VjcmV0LWhlYWRlcg==
[url "ssh://git@git.example.com/"]
  insteadOf = short:
[alias]
  ls-remote = !touch sprung
[core]
  sshCommand = ssh -i key
  hooksPath = /tmp/evil
[include]
  path = more
`;

const server = new ForkServer();
afterAll(async () => await server.stop());

describe.each([
  ['this process', startGit],
  ['a fork server', server.start],
])('git, started by %s', (_name, start) => {
  it("takes the user's settings for remotes along to a remote, and nothing else of their configuration", async () => {
    const { home, env } = user(CONFIG);
    write(home, { more: '[credential]\n\thelper = mine\n[gc]\n\tauto = 7\n' });
    const git = createGit({ start, env });
    const list = async (remote: boolean) => (await git(['config', '--list', '--show-scope'], { remote })).stdout;
    const remote = await list(true);
    expect(remote).toContain('credential.helper=mine');
    expect(remote).toContain('url.ssh://git@git.example.com/.insteadof=short:');
    expect(remote).toMatch(/core.sshcommand=ssh -i key\n/i);
    expect(remote).not.toContain('alias.');
    expect(remote).not.toContain('gc.auto=7');
    expect(remote.match(/core\.hookspath=.*/gi)).toEqual(['core.hookspath=/dev/null']);
    const local = await list(false);
    expect(local).not.toMatch(/credential|insteadof|user\.name/);
    expect(local).not.toContain('global');
  });

  it('runs no hook of the repository that it works in', async () => {
    const dir = tempDir();
    const mark = join(dir, 'sprung');
    by(dir, 'init', '--quiet', '--bare', 'repo.git');
    const gitDir = join(dir, 'repo.git');
    const hook = join(gitDir, 'hooks', 'reference-transaction');
    write(dir, { 'repo.git/hooks/reference-transaction': `#!/bin/sh\ntouch '${mark}'\n` });
    chmodSync(hook, 0o755);
    const git = createGit({ start, env: { PATH: process.env['PATH'] } });
    const { stdout } = await git(['hash-object', '-w', '--stdin'], { gitDir, input: 'x' });
    const blob = stdout.trim();
    await git(['update-ref', 'refs/tags/x', blob], { gitDir });
    expect(existsSync(mark)).toBe(false);
    // The bait itself works.
    by(gitDir, 'update-ref', 'refs/tags/y', blob);
    expect(existsSync(mark)).toBe(true);
  });

  it('passes on a small environment, and keeps settings out of the arguments', async () => {
    const { env, home } = user(
      CONFIG,
      'echo "$@" >> "$HOME/args"; env >> "${OUT:-/dev/null}"; exec /usr/bin/env PATH="${PATH#*:}" git "$@"',
    );
    const git = createGit({ start, env: { ...env, OUT: join(home, 'none') } });
    const out = join(home, 'out');
    await git(['version'], { remote: true, env: { OUT: out } });
    const seen = readFileSync(out, 'utf8');
    expect(seen).toContain('GIT_TERMINAL_PROMPT=0');
    expect(seen).toContain('c2VjcmV0LWhlYWRlcg==');
    expect(seen).not.toContain('canary');
    expect(readFileSync(join(home, 'args'), 'utf8')).not.toContain('c2VjcmV0');
  });

  it("knows the user's name, or that they have none", async () => {
    expect(await readUserIdentity(createGit({ start, env: user(CONFIG).env }))).toEqual({
      name: 'Ada',
      email: 'ada@example.com',
    });
    expect(await readUserIdentity(createGit({ start, env: user('').env }))).toBeUndefined();
  });

  it('scrubs credentials from what it says', async () => {
    const complaint =
      "fatal: unable to access 'https://ada:hunter2@git.example.com/': header c2VjcmV0LWhlYWRlcg== was refused";
    const { env } = user(
      CONFIG,
      `case "$1" in config) exec /usr/bin/env PATH="\${PATH#*:}" git "$@";; esac; echo "${complaint}" >&2; exit 128`,
    );
    const error: unknown = await createGit({ start, env })(['ls-remote', '--', 'x'], { remote: true }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'REMOTE_UNREACHABLE' });
    expect(JSON.stringify(error) + JSON.stringify((error as { details: unknown }).details)).not.toMatch(
      /hunter2|c2VjcmV0/,
    );
  });

  it('tells a remote that is away from a command that fails', async () => {
    const root = tempDir();
    const git = createGit({ start, env: process.env });
    const away = git(['ls-remote', '--', join(root, 'none')], { remote: true });
    await expect(away).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE', message: expect.stringContaining('none') });
    await expect(git(['cat-file', '-p', 'x'], { gitDir: root })).rejects.toMatchObject({ code: 'GIT' });
    const missing = createGit({ start, env: { PATH: root } })(['version']);
    await expect(missing).rejects.toMatchObject({ code: 'GIT', next: expect.stringContaining('Install git') });
  });

  it('never speaks through a helper that a URL names', async () => {
    const root = tempDir();
    const git = createGit({ start, env: process.env });
    for (const url of [`ext::touch ${root}/sprung`, 'fd::17', `git://127.0.0.1:1/x`]) {
      await expect(git(['ls-remote', '--', url], { remote: true }), url).rejects.toMatchObject({
        name: 'SignalboxError',
      });
    }
    expect(existsSync(join(root, 'sprung'))).toBe(false);
  });

  it('does not look into a repository that lies where it is started', async () => {
    const root = tempDir();
    by(root, 'init', '--quiet', '--bare', '.');
    by(root, 'config', 'user.name', 'planted');
    const git = createGit({ start, env: process.env });
    const { stdout } = await git(['config', '--get-all', 'user.name'], { cwd: root, allow: [1] });
    expect(stdout).not.toContain('planted');
  });

  it.each(['an abort', 'a timeout'])('ends the whole process tree at %s', async (how) => {
    const { env, home } = user('', 'sh -c \'echo $$ > "$HOME/grandchild"; exec sleep 600\'');
    const git = createGit({ start, env });
    const cancel = new AbortController();
    const options = how === 'an abort' ? { signal: cancel.signal } : { timeoutMs: 2_000 };
    const running = git(['version'], { env: { HOME: home }, ...options });
    const ended = expect(running).rejects.toThrow(how === 'an abort' ? 'enough' : 'did not end in time');
    const file = join(home, 'grandchild');
    await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toMatch(/\n/), { timeout: 20_000 });
    cancel.abort(new Error('enough'));
    await ended;
    const pid = Number(readFileSync(file, 'utf8'));
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 20_000 });
  });

  it('that cannot even be started is an error that says so', async () => {
    const running = createGit({ start, env: process.env })(['version', 'x'.repeat(4_000_000)]);
    await expect(running).rejects.toMatchObject({
      code: 'GIT',
      message: expect.stringContaining('could not be started'),
      next: expect.stringContaining('out of memory'),
    });
  });

  it('that cannot open a file that it is to read or write is an error that names it', async () => {
    const dir = tempDir();
    for (const options of [{ inputFile: join(dir, 'none') }, { outputFile: join(dir, 'no/folder') }]) {
      const running = createGit({ start, env: process.env })(['version'], options);
      await expect(running).rejects.toMatchObject({ code: 'GIT', message: expect.stringContaining(dir) });
    }
  });

  it('takes input, and gives back more than a pipe holds', async () => {
    const dir = tempDir();
    by(dir, 'init', '--quiet', '--bare', '.');
    const git = createGit({ start, env: process.env });
    const text = 'ä line of words\n'.repeat(100_000);
    const oid = (await git(['hash-object', '-w', '--stdin'], { gitDir: dir, input: text })).stdout.trim();
    expect((await git(['cat-file', 'blob', oid], { gitDir: dir })).stdout === text).toBe(true);
  });

  it('writes its output to a file when asked', async () => {
    const file = join(tempDir(), 'out');
    writeFileSync(file, 'longer than the answer will ever be, so that a rest would show');
    const { stdout } = await createGit({ start, env: process.env })(['version'], { outputFile: file });
    expect(stdout).toBe('');
    expect(readFileSync(file, 'utf8')).toMatch(/^git version \S+( .*)?\n$/);
  });
});
