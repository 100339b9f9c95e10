import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Git } from '../../../src/git/git.ts';
import { createMirrors } from '../../../src/git/mirror.ts';
import { ownIdentity } from '../../../src/git/process-identity.ts';
import { withProcessLock } from '../../../src/git/process-lock.ts';
import { LOCK_VARIABLE } from '../../../src/git/stale-locks.ts';
import { by, commitAll, fixture, tempDir, write } from './support.ts';

/** Starts one of the programs beside this file. */
function program(name: string, ...args: string[]): ChildProcess {
  const file = join(import.meta.dirname, 'programs', name);
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function* linesOf(child: ChildProcess) {
  if (child.stdout !== null) yield* createInterface({ input: child.stdout });
}

/** The process number of one that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe('a mirror', () => {
  it('is made once and whole when two processes want it at the same time', async () => {
    const { remote, root, first } = await fixture();
    const dataDir = join(root, 'raced');
    const both = [program('open-mirror.ts', remote, dataDir), program('open-mirror.ts', remote, dataDir)];
    const answers = await Promise.all(
      both.map(async (child) => {
        for await (const line of linesOf(child)) return JSON.parse(line) as { dir: string; main: string };
        throw new Error('it said nothing');
      }),
    );
    expect(answers.map(({ main }) => main)).toEqual([first, first]);
    expect(new Set(answers.map(({ dir }) => dir)).size).toBe(1);
    expect(readdirSync(join(dataDir, 'mirrors')).filter((name) => name.endsWith('.git'))).toHaveLength(1);
    expect(readdirSync(join(dataDir, 'mirrors')).filter((name) => name.includes('draft'))).toEqual([]);
  });

  it('follows the remote: moved, deleted and renamed branches and tags, and no other refs', async () => {
    const { mirror, person } = await fixture();
    by(person, 'push', '--quiet', 'origin', 'main:a', 'main:refs/tags/v1', 'main:refs/signalbox/task/x');
    await mirror.fetch();
    expect(await mirror.resolve('refs/heads/a')).toBeDefined();
    expect(await mirror.resolve('refs/signalbox/task/x')).toBeUndefined();
    write(person, { 'more.txt': 'm' });
    const second = commitAll(person);
    by(person, 'push', '--quiet', 'origin', '--delete', 'a');
    by(person, 'push', '--quiet', '--force', 'origin', 'main:a/b', 'main:refs/tags/v1');
    await mirror.fetch();
    expect(await mirror.resolve('refs/heads/a')).toBeUndefined();
    expect(await mirror.resolve('refs/heads/a/b')).toBe(second);
    expect(await mirror.resolve('refs/tags/v1')).toBe(second);
  });

  it('shares a fetch among callers who ask at once, and never one that began before they asked', async () => {
    const { git, remote, root, person } = await fixture();
    const fetches: string[] = [];
    const counting: Git = async (args, options) => {
      if (args[0] === 'fetch') fetches.push('fetch');
      return git(args, options);
    };
    const mirror = await createMirrors({ git: counting, dataDir: join(root, 'counted') }).open({
      key: 'k',
      url: remote,
    });
    const early = mirror.fetch();
    write(person, { 'more.txt': 'm' });
    const second = commitAll(person);
    by(person, 'push', '--quiet', 'origin', 'main');
    await Promise.all([early, ...Array.from({ length: 16 }, () => mirror.fetch())]);
    expect(await mirror.resolve('refs/heads/main')).toBe(second);
    expect(fetches).toHaveLength(2);
  });

  it('lets one caller leave a shared fetch without ending it for the others', async () => {
    const { mirror } = await fixture();
    const leave = new AbortController();
    const left = mirror.fetch(leave.signal);
    const stayed = mirror.fetch();
    leave.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await expect(stayed).resolves.toBeUndefined();
  });

  it('is tried again after a remote that could not be reached', async () => {
    const { git, remote, root, first } = await fixture();
    const mirrors = createMirrors({ git, dataDir: join(root, 'again') });
    const url = join(root, 'later.git');
    const left = () => readdirSync(join(root, 'again/mirrors')).filter((name) => name.includes('.draft-'));
    await expect(mirrors.open({ key: 'k', url })).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
    by(root, 'clone', '--quiet', '--bare', remote, url);
    const [lock = ''] = readdirSync(join(root, 'again/mirrors')).filter((name) => name.endsWith('.git.lock'));
    write(join(root, 'again/mirrors'), { [`${lock.replace(/\.lock$/, '')}.draft-of-a-killed-process/HEAD`]: '' });
    expect(left()).toHaveLength(1);
    const mirror = await mirrors.open({ key: 'k', url });
    expect(await mirror.resolve('refs/heads/main')).toBe(first);
    expect(left()).toEqual([]);
  });
});

describe('after a process that died', () => {
  it('with the lock, the next one takes it, ends its orphans and removes what they locked', async () => {
    const { mirror, person } = await fixture();
    const token = 'dead-holder';
    const orphan = spawn('sleep', ['600'], { env: { ...process.env, [LOCK_VARIABLE]: token } });
    onTestFinished(() => void orphan.kill('SIGKILL'));
    const bystander = spawn('sleep', ['600'], { env: { ...process.env, [LOCK_VARIABLE]: 'another' } });
    onTestFinished(() => void bystander.kill('SIGKILL'));
    const ended = once(orphan, 'exit');
    const lock = `${mirror.dir}.lock`;
    const highest = Math.max(...readdirSync(lock).map(Number));
    const owner = { ...(await ownIdentity()), pid: await deadPid(), token, deadTokens: [] };
    writeFileSync(join(lock, String(highest + 1)), JSON.stringify(owner));
    // The last one is what a killed `pack-refs` has half written; git never overwrites it.
    const stale = ['refs/heads/main.lock', 'packed-refs.lock', 'packed-refs.new'].map((name) => join(mirror.dir, name));
    for (const file of stale) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, '');
    }
    write(person, { 'more.txt': 'm' });
    const second = commitAll(person);
    by(person, 'push', '--quiet', 'origin', 'main');
    await mirror.fetch();
    expect(await mirror.resolve('refs/heads/main')).toBe(second);
    expect(stale.filter((file) => existsSync(file))).toEqual([]);
    await ended;
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  });

  it('by kill -9 in a real process, the lock is had at once, and its token is told', async () => {
    const { remote, root } = await fixture();
    const dataDir = join(root, 'killed');
    const child = program('open-mirror.ts', remote, dataDir, 'hold');
    const lines: string[] = [];
    for await (const line of linesOf(child)) if (lines.push(line) === 2) break;
    const { dir } = JSON.parse(lines[0] ?? '') as { dir: string };
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await withProcessLock(`${dir}.lock`, async ({ deadTokens }) => expect(deadTokens).toEqual([lines[1]]));
    await withProcessLock(`${dir}.lock`, async ({ deadTokens }) => expect(deadTokens).toEqual([]));
  });

  it('with a git that had to be killed, the holder itself removes what was locked, and the next fetch works', async () => {
    const { mirror, person } = await fixture();
    write(mirror.dir, { 'HEAD.lock': '' });
    write(person, { 'more.txt': 'm' });
    const second = commitAll(person);
    by(person, 'push', '--quiet', 'origin', 'main');
    await expect(mirror.fetch()).rejects.toMatchObject({ code: 'GIT' });
    await mirror.fetch();
    expect(await mirror.resolve('refs/heads/main')).toBe(second);
  });

  it('without the lock, nothing is removed: a lock file may be somebody’s', async () => {
    const { mirror } = await fixture();
    const file = join(mirror.dir, 'refs/heads/other.lock');
    write(mirror.dir, { 'refs/heads/other.lock': '' });
    await mirror.fetch();
    expect(existsSync(file)).toBe(true);
  });
});

describe('a process lock', () => {
  it('is held by one process at a time', { timeout: 60_000 }, async () => {
    const root = tempDir();
    const file = join(root, 'number');
    writeFileSync(file, '0');
    const folder = join(root, 'lock');
    const children = Array.from({ length: 4 }, () => program('count.ts', folder, file, '25'));
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(readFileSync(file, 'utf8')).toBe('100');
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it('is not taken from a live process, nor from one elsewhere that was heard of lately', async () => {
    const folder = join(tempDir(), 'lock');
    mkdirSync(folder);
    const me = await ownIdentity();
    for (const owner of [me, { ...me, place: 'another container', pid: 1 }]) {
      writeFileSync(join(folder, '7'), JSON.stringify({ ...owner, token: 't', deadTokens: [] }));
      const giveUp = new AbortController();
      const taking = withProcessLock(folder, () => Promise.resolve('taken'), giveUp.signal);
      giveUp.abort(new Error('gave up'));
      await expect(taking).rejects.toThrow('gave up');
    }
  });

  it('is taken from a process whose number another one has now, and from one before a reboot', async () => {
    const folder = join(tempDir(), 'lock');
    mkdirSync(folder);
    const me = await ownIdentity();
    for (const owner of [
      { ...me, started: '1' },
      { ...me, boot: 'earlier' },
    ]) {
      const next = Math.max(6, ...readdirSync(folder).map(Number)) + 1;
      writeFileSync(join(folder, String(next)), JSON.stringify({ ...owner, token: 't', deadTokens: ['s'] }));
      await withProcessLock(folder, async ({ deadTokens }) => expect(deadTokens).toEqual(['t', 's']));
    }
  });

  it('is released when its work fails', async () => {
    const folder = join(tempDir(), 'lock');
    const failed = withProcessLock(folder, () => Promise.reject(new Error('failed')));
    await expect(failed).rejects.toThrow('failed');
    expect(await withProcessLock(folder, () => Promise.resolve('taken'))).toBe('taken');
  });
});
