import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Remote } from '../../support/system/remote.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const options = { leaseTtl: '2000ms' };

/** Makes the remote hold every push of a branch until a gate is open; answers the file that tells that one has come. */
function holdPushes(remote: Remote, gate: string): string {
  const arrived = `${gate}.arrived`;
  const hook = join(remote.dir, 'hooks', 'pre-receive');
  // It ends with the test's folder too, should the test fail before it opens the gate.
  const waits = `while [ -e '${arrived}' ] && [ ! -e '${gate}' ]; do sleep 0.05; done`;
  const others = 'case "$(cat)" in *refs/heads/*) ;; *) exit 0 ;; esac';
  writeFileSync(hook, `#!/bin/sh\n${others}\necho $PPID > '${arrived}'\n${waits}\n`);
  chmodSync(hook, 0o755);
  return arrived;
}

/** Whether a process has ended, be it reaped or not. */
function hasEnded(pid: string): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' });
  return stdout.trim() === '' || stdout.startsWith('Z');
}

interface Killed {
  readonly id: string;
  readonly remote: Remote;
  readonly branch: string;
  /** The process of the remote that takes in the push. */
  readonly receiver: string;
}

async function killInMidPush(world: World, step: string): Promise<Killed> {
  const remote = world.remote();
  const arrived = holdPushes(remote, world.gate('push'));
  await world.startWorkers(2);
  const branch = 'task/push';
  const id = await world.submit({ branch, implement: [step] });
  const receiver = await until('the push has come to the remote', () =>
    existsSync(arrived) ? readFileSync(arrived, 'utf8').trim() || undefined : undefined,
  );
  const worker = await world.workerOf(id);
  await worker.kill();
  expect(worker.isAlive).toBe(false);
  expect(remote.tip(branch)).toBeUndefined();
  return { id, remote, branch, receiver };
}

systemTest(
  'a push that outlives its worker is refused once the next run has begun, and that one publishes',
  async (world) => {
    const again = world.stamps.workUntil(world.gate('again'));
    const step = `echo "$SIGNALBOX_RUN" > run.txt; if [ "$SIGNALBOX_RUN" != 1 ]; then ${again}\nfi`;
    const { id, remote, branch, receiver } = await killInMidPush(world, step);
    await world.working(id);
    world.openGate('push');
    await until('the remote has dealt with the first push', () => hasEnded(receiver));
    expect(remote.tip(branch)).toBeUndefined();
    world.openGate('again');
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, crashes: 1 });
    expect(remote.published().map(({ run }) => run)).toEqual(['2']);
    expect(remote.show(branch, 'run.txt')).toBe('2\n');
  },
  options,
);

systemTest(
  'a push that lands before the next run begins is found by it, and its steps do not run again',
  async (world) => {
    const { id, remote, branch } = await killInMidPush(world, 'echo "$SIGNALBOX_RUN" > run.txt');
    world.openGate('push');
    await until('the push has landed', () => remote.tip(branch) !== undefined);
    const ended = await world.ended(id);
    expect(ended).toMatchObject({ state: 'succeeded', runs: 2, commit: remote.tip(branch) });
    expect(ended.phases.map(({ name }) => name)).toEqual(['prepare', 'archive']);
    expect(remote.published()).toHaveLength(1);
  },
  options,
);

describe('a push that does not end', () => {
  /** Makes every push of a branch hang: before its refs have moved, or after. */
  function hang(remote: Remote, hook: 'pre-receive' | 'post-receive', arrived: string): void {
    const file = join(remote.dir, 'hooks', hook);
    const others = 'case "$(cat)" in *refs/heads/*) ;; *) exit 0 ;; esac';
    writeFileSync(file, `#!/bin/sh\n${others}\ntouch '${arrived}'\nwhile [ -e '${arrived}' ]; do sleep 0.05; done\n`);
    chmodSync(file, 0o755);
  }

  for (const publish of ['push', 'land'] as const) {
    systemTest(`is stopped by a cancel, and what became of it is found out (${publish})`, async (world) => {
      const [before, after] = [world.remote('before'), world.remote('after')];
      const arrived = { before: world.gate('before'), after: world.gate('after') };
      hang(before, 'pre-receive', arrived.before);
      hang(after, 'post-receive', arrived.after);
      await world.startWorkers(1);
      const task = { branch: 'task/push', publish, implement: ['echo work > work.txt'] };
      const [undone = '', landed = ''] = await world.submitAll([
        { ...task, repo: before.dir },
        { ...task, repo: after.dir },
      ]);
      await until('both pushes hang', () => existsSync(arrived.before) && existsSync(arrived.after));
      await Promise.all([undone, landed].map(async (id) => await world.client.cancel(id)));
      expect(await world.ended(undone)).toMatchObject({ state: 'cancelled', commit: null });
      expect(await world.ended(landed)).toMatchObject({ state: 'succeeded', commit: after.tip('task/push') });
      expect(before.tip('task/push')).toBeUndefined();
      expect(world.events('publish.doubtful').map(({ taskId }) => taskId)).toEqual(
        expect.arrayContaining([undone, landed]),
      );
    });
  }

  systemTest('ends with the time of its run, charged, and leaves the work as a patch', async (world) => {
    const remote = world.remote();
    hang(remote, 'pre-receive', world.gate('arrived'));
    await world.startWorkers(1);
    const id = await world.submit({ attempts: 1, timeout: '3s', implement: ['echo work > work.txt'] });
    const { state, code, attempts, artifacts, branch } = await world.ended(id);
    expect({ state, code, attempts }).toEqual({ state: 'failed', code: 'timeout', attempts: 1 });
    expect(existsSync(world.gate('arrived'))).toBe(true);
    expect(artifacts.map(({ kind }) => kind)).toContain('patch');
    expect(remote.tip(branch)).toBeUndefined();
  });
});
