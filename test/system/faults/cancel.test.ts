/** A cancel after the death of a worker: whether the task is published is the ledger's to say. */

import { describe, expect } from 'vitest';
import { PushTrap } from '../../support/system/push-trap.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const options = { leaseTtl: '2000ms' };
const branch = 'task/cancelled';

/** A task whose worker is killed while its push is held at the remote. */
async function diesInPush(world: World, place: 'pre-receive' | 'post-receive') {
  const remote = world.remote();
  const trap = new PushTrap(remote);
  trap.arm(place, 'hold');
  const [worker] = await world.startWorkers(1);
  const id = await world.submit({ branch, implement: ['echo "$SIGNALBOX_RUN" > run.txt'] });
  await until('its push is held', () => trap.holds);
  const landed = remote.tip(branch);
  await worker?.kill();
  return { id, remote, trap, landed };
}

describe('a task that is cancelled after its worker died in its push', () => {
  systemTest(
    'has succeeded if the push had landed',
    async (world) => {
      const { id, trap, landed } = await diesInPush(world, 'post-receive');
      expect(landed).toBeDefined();
      expect(await world.client.cancel(id)).toBe('requested');
      trap.release();
      await world.startWorkers(1);
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', code: null, commit: landed, crashes: 1 });
    },
    options,
  );

  systemTest(
    'has succeeded too if it had to wait meanwhile, and does not wait for its turn to say so',
    async (world) => {
      const { id, remote, trap, landed } = await diesInPush(world, 'post-receive');
      trap.release();
      await world.client.hold({ repo: remote.dir, branch }, async () => {
        await world.startWorkers(1);
        await world.reached(id, 'blocked');
        expect(await world.client.cancel(id)).toBe('requested');
        expect(await world.ended(id)).toMatchObject({ state: 'succeeded', commit: landed, runs: 1 });
      });
    },
    options,
  );

  systemTest(
    'is cancelled if the push had not landed, which can land no more',
    async (world) => {
      const { id, remote, trap } = await diesInPush(world, 'pre-receive');
      expect(await world.client.cancel(id)).toBe('requested');
      await world.startWorkers(1);
      expect(await world.ended(id)).toMatchObject({ state: 'cancelled', code: 'cancelled', commit: null });
      trap.release();
      // A later push shows that the remote is done with the one before it.
      const after = await world.submit({ branch: 'task/after', implement: ['echo after > after.txt'] });
      expect(await world.ended(after)).toMatchObject({ state: 'succeeded' });
      await until('nothing is held', () => !trap.holds);
      expect(remote.tip(branch)).toBeUndefined();
    },
    options,
  );
});
