import { expect } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { classOf } from '../../../src/waiting/rank.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const LEASE_MS = 3_000;
const options = { leaseTtl: `${LEASE_MS}ms`, redis: 'own' } as const;

/** Redis may use no memory at all any more; proves that it refuses. */
async function fill(world: World): Promise<void> {
  const { redis } = world.client.queue;
  await redis.config('SET', 'maxmemory', '1');
  await expect(redis.set('probe', '1')).rejects.toThrow(/^OOM/);
}

async function makeRoom(world: World): Promise<void> {
  await world.client.queue.redis.config('SET', 'maxmemory', '0');
}

systemTest(
  'a full Redis: what runs keeps its lease, its end is written, nothing new is accepted, and all goes on with more room',
  async (world) => {
    const remote = world.remote();
    const [worker] = await world.startWorkers(1, { concurrency: 2 });
    const branches = ['task/one', 'task/two'];
    const gates = ['first', 'second'];
    const ids = await world.submitAll(
      branches.map((branch, i) => ({
        branch,
        claims: { write: [`${i}.txt`] },
        implement: [`${world.stamps.workUntil(world.gate(gates[i] ?? ''))}; echo "$SIGNALBOX_RUN" > ${i}.txt`],
      })),
    );
    const [first = '', second = ''] = ids;
    await Promise.all(ids.map((id) => world.working(id)));
    const next = await world.submit({ dependsOn: [first], implement: ['true'] });
    await fill(world);
    const filledAt = Date.now();
    await expect(world.client.submit({ title: 'A task', repo: remote.dir, implement: ['true'] })).rejects.toMatchObject(
      {
        code: 'REDIS_FULL',
        message: expect.stringContaining('memory'),
      },
    );
    await until('two leases have passed', () => Date.now() > filledAt + 2 * LEASE_MS);
    expect(worker?.events('lease.lost')).toEqual([]);
    expect((await world.client.status()).workers).toMatchObject([{ id: worker?.id }]);
    world.openGate('first');
    expect(await world.ended(first)).toMatchObject({ state: 'succeeded', runs: 1, commit: remote.tip('task/one') });
    // Still full: the end was written all the same.
    await expect(world.client.queue.redis.set('probe', '1')).rejects.toThrow(/^OOM/);
    expect(await world.client.get(next)).toMatchObject({ state: 'queued' });

    await makeRoom(world);
    world.openGate('second');
    expect(await world.ended(second)).toMatchObject({ state: 'succeeded', runs: 1, attempts: 1, crashes: 0 });
    expect(await world.ended(next)).toMatchObject({ state: 'succeeded' });
    const after = await world.submit({ implement: ['true'] });
    expect(await world.ended(after)).toMatchObject({ state: 'succeeded', workerId: worker?.id });
  },
  options,
);

systemTest(
  'a full Redis: what a dead run held is freed, and its task keeps its place',
  async (world) => {
    const { queue } = world.client;
    world.remote();
    const id = await world.submit({ implement: ['true'] });
    const picked = await queue.store.pickUp(id);
    if (picked.kind !== 'ok') throw new Error(picked.kind);
    const { rank, repoKey, branch } = picked.record;
    const acquired = await queue.locker.acquire({
      holder: 'r-dead',
      kind: 'run',
      ticket: id,
      task: id,
      worker: 'w-dead',
      rank,
      class: classOf('normal'),
      policy: 'wait',
      nodes: claimSet({ repoKey, branch, write: ['x'], read: [] }),
    });
    if (acquired.kind !== 'held') throw new Error(acquired.kind);
    await queue.redis.del(queue.keys.key('lease', 'r-dead'));
    await fill(world);
    expect(await queue.locker.reap('r-dead', acquired.lock.value)).toEqual([{ kind: 'task', ticket: id }]);
    await makeRoom(world);
    await world.client.cancel(id);
  },
  options,
);
