import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ForkServer } from '../../../src/git/fork-server/client.ts';
import { createGit } from '../../../src/git/git.ts';
import { forkServerOf, isStopped } from '../../support/system/processes.ts';
import { tempDir, write } from './support.ts';

const servers: ForkServer[] = [];
afterEach(async () => {
  const pid = forkServerOf(process.pid);
  // Should nobody have found out that it hangs.
  if (pid !== undefined && isStopped(pid)) process.kill(pid, 'SIGKILL');
  await Promise.all(servers.splice(0).map(async (server) => await server.stop()));
});

/** A git that says its number in `<dir>/pid` and stays, and one that answers, both started by one server. */
async function room() {
  const server = new ForkServer();
  servers.push(server);
  const dir = tempDir();
  // It does not mind being asked to end, and goes with its folder.
  const stays = `trap '' TERM; echo $$ > '${dir}/pid'; while [ -e '${dir}/pid' ]; do sleep 1; done`;
  write(dir, { git: `#!/bin/sh\n[ "$1" = stay ] || exit 0; ${stays}\n` });
  chmodSync(join(dir, 'git'), 0o755);
  const git = createGit({ env: { PATH: `${dir}:${process.env['PATH']}` }, start: server.start });
  await git(['version']);
  const stay = async (options: { readonly signal?: AbortSignal } = {}) => {
    const ended = git(['stay'], options).catch((error: unknown) => error);
    await vi.waitFor(() => expect(readFileSync(join(dir, 'pid'), 'utf8')).toMatch(/\n/), { timeout: 20_000 });
    return { ended, pid: Number(readFileSync(join(dir, 'pid'), 'utf8')) };
  };
  return { server, git, stay, pid: forkServerOf(process.pid) as number };
}

const isGone = async (pid: number) =>
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 20_000 });

describe('a fork server', () => {
  it('that is killed takes what it has started with it, says so, and is there again for the next', async () => {
    const { git, stay, pid } = await room();
    const { ended, pid: stayed } = await stay();
    process.kill(pid, 'SIGKILL');
    expect(await ended).toMatchObject({ code: 'GIT', message: expect.stringContaining('SIGKILL') });
    await isGone(stayed);
    expect(await git(['version'])).toMatchObject({ exitCode: 0 });
    expect(forkServerOf(process.pid)).not.toBe(pid);
  });

  it('that hangs is found out when a git is to end, and is replaced', async () => {
    const { git, stay, pid } = await room();
    const cancel = new AbortController();
    const { ended, pid: stayed } = await stay({ signal: cancel.signal });
    process.kill(pid, 'SIGSTOP');
    cancel.abort(new Error('enough'));
    expect(await ended).toMatchObject({ message: 'enough' });
    await isGone(stayed);
    await isGone(pid);
    expect(await git(['version'])).toMatchObject({ exitCode: 0 });
  }, 40_000);

  it('does not mind the signals of a terminal; told to end, it ends what it has started and then itself', async () => {
    const { server, git, stay, pid } = await room();
    const { ended, pid: stayed } = await stay();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pid, signal);
    // What it answers after that, it has been sent after that.
    await git(['version']);
    expect(forkServerOf(process.pid)).toBe(pid);
    expect(process.kill(stayed, 0)).toBe(true);
    await server.stop();
    expect(await ended).toMatchObject({ code: 'GIT' });
    await Promise.all([pid, stayed].map(isGone));
  });
});
