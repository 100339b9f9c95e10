import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Remote } from '../../support/system/remote.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const options = { leaseTtl: '2000ms' };

/** Makes the remote hold every push until a gate is open; answers the file that tells that a push has come. */
function holdPushes(remote: Remote, gate: string): string {
  const arrived = `${gate}.arrived`;
  const hook = join(remote.dir, 'hooks', 'pre-receive');
  // It ends with the test's folder too, should the test fail before it opens the gate.
  const waits = `while [ -e '${arrived}' ] && [ ! -e '${gate}' ]; do sleep 0.05; done`;
  writeFileSync(hook, `#!/bin/sh\ntouch '${arrived}'\n${waits}\n`);
  chmodSync(hook, 0o755);
  return arrived;
}

async function killInMidPush(world: World, step: string): Promise<{ id: string; remote: Remote; branch: string }> {
  const remote = world.remote();
  const arrived = holdPushes(remote, world.gate('push'));
  await world.startWorkers(2);
  const branch = 'task/push';
  const id = await world.submit({ branch, implement: [step] });
  await until('the push has come to the remote', () => existsSync(arrived));
  const worker = await world.workerOf(id);
  await worker.kill();
  expect(worker.isAlive).toBe(false);
  expect(remote.tip(branch)).toBeUndefined();
  return { id, remote, branch };
}

systemTest(
  'a push that lands after its worker was killed is the one publication, found by the run that is at work meanwhile',
  async (world) => {
    const again = world.stamps.workUntil(world.gate('again'));
    const step = `echo "$SIGNALBOX_RUN" > run.txt; if [ "$SIGNALBOX_RUN" != 1 ]; then ${again}\nfi`;
    const { id, remote, branch } = await killInMidPush(world, step);
    await world.working(id);
    world.openGate('push');
    await until('the first push has landed', () => remote.tip(branch) !== undefined);
    const landed = remote.tip(branch);
    world.openGate('again');
    expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, crashes: 1, commit: landed });
    expect(remote.published().map(({ run }) => run)).toEqual(['1']);
    expect(remote.show(branch, 'run.txt')).toBe('1\n');
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
