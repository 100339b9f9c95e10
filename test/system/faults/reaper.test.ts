import { describe, expect } from 'vitest';
import { Signalbox } from '../../../src/index.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const LEASE_MS = 2_000;
const options = { leaseTtl: `${LEASE_MS}ms` };

/** Another client of the same queue, as another program would be. */
async function otherClient({ client }: World): Promise<Signalbox> {
  const { redisUrl, queue, dataDir } = client.config;
  return await Signalbox.connect({ redisUrl, queue, dataDir, leaseTtl: `${LEASE_MS}ms` });
}

describe('with no worker left', () => {
  systemTest(
    'a program that waits for a dead worker’s claim gets it, though its tasks rank first; they run once a worker is there',
    async (world) => {
      const remote = world.remote();
      const [worker] = await world.startWorkers(1);
      const claims = { write: ['src'] };
      const branch = 'task/orphan';
      const run = `if [ "$SIGNALBOX_RUN" = 1 ]; then ${world.stamps.workUntil(world.gate('never'))}\nelse ${world.stamps.workFor(1)}; fi`;
      const running = await world.submit({ branch, claims, implement: [run] });
      await world.working(running);
      const blocked = await world.submit({ branch, claims, implement: [world.stamps.workFor(1)] });
      await world.reached(blocked, 'blocked');
      await worker?.kill();

      const repo = remote.dir;
      const order: string[] = [];
      await using other = await otherClient(world);
      await other.hold({ repo, write: ['src/a.ts'] }, async () => {
        order.push('held');
        const { held } = await world.client.claims();
        expect(held.map(({ resource }) => resource)).toEqual(['path:src/a.ts']);
      });
      expect(order).toEqual(['held']);
      expect((await world.client.get(running)).runs).toBe(1);
      await world.startWorkers(1);
      expect(await world.ended(running)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 1, crashes: 1 });
      expect(await world.ended(blocked)).toMatchObject({ state: 'succeeded', runs: 1, crashes: 0 });
    },
    options,
  );

  systemTest(
    'one that holds something else frees what a dead one had, a slot too, and takes a dead waiter out of the line',
    async (world) => {
      const { client } = world;
      const { redis, keys } = client.queue;
      await client.setLimit('resource:db', 1);
      await using other = await otherClient(world);
      // A record and a ticket that nobody renews: what programs leave behind that were killed.
      const dead = 'h-dead';
      const waiter = 'h-gone';
      const nodes = [{ name: '#resource:db', mode: 'slot', shown: 'db' }] as const;
      const request = { kind: 'hold', worker: 'dead:1', class: 2, policy: 'wait', nodes } as const;
      const holder = await other.queue.locker.acquire({ ...request, holder: dead, ticket: dead });
      expect(holder.kind).toBe('held');
      const waiting = await other.queue.locker.acquire({ ...request, holder: waiter, ticket: waiter });
      expect(waiting.kind).toBe('blocked');
      expect(await redis.exists(keys.key('lease', dead), keys.key('ticket', waiter))).toBe(2);

      await client.hold({ repo: 'https://git.example.com/acme/other', write: ['x'] }, async () => {
        await until('the slot is free', async () => (await redis.exists(keys.key('record', dead))) === 0);
        await until(
          'the dead waiter is out of the line',
          async () => (await redis.exists(keys.key('ticket', waiter))) === 0,
        );
      });
      const slots = await other.hold({ repo: '', resources: ['db'] }, (held) => held.slots, { wait: false });
      expect(slots).toEqual({ db: 1 });
    },
    options,
  );
});
