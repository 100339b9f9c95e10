import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject } from 'vitest';
import { processesOf } from '../../support/system/processes.ts';
import { until } from '../../support/system/until.ts';
import type { WorkerProcess } from '../../support/system/worker-process.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const LEASE_MS = 2_000;
const options = { leaseTtl: `${LEASE_MS}ms` };
const DRAIN_MS = 1_000;
const FOR_EVER_MS = 600_000;
/** How long a hurried worker tries to give its runs back. */
const GIVES_UP_MS = 15_000;

/** A worker as `signalbox up` and `signalbox worker` run it, with the patience that it is to have. */
async function productWorker(world: World, drainMs: number): Promise<WorkerProcess> {
  const env = { SIGNALBOX_DRAIN_TIMEOUT: `${drainMs}` };
  const [worker] = await world.startWorkers(1, { env, program: inject('productWorker') });
  if (worker === undefined) throw new Error('no worker was started');
  return worker;
}

/** A step that works on when it runs first, and writes down its run. */
function firstTimeForEver(world: World): string {
  const working = world.stamps.workUntil(world.gate('never'));
  return `echo "$SIGNALBOX_RUN" > run.txt\nif [ "$SIGNALBOX_RUN" = 1 ]; then ${working}\nelse ${world.stamps.workFor(1)}; fi`;
}

describe('a worker that gets SIGTERM', () => {
  systemTest(
    'hands over what has not ended in time: it runs elsewhere, uncharged, and its work is kept',
    async (world) => {
      const remote = world.remote();
      const leaving = await productWorker(world, DRAIN_MS);
      const long = await world.submit({
        branch: 'task/long',
        claims: { write: ['run.txt'] },
        attempts: 1,
        implement: [firstTimeForEver(world)],
      });
      await world.working(long);
      expect(await leaving.stop()).toBe(0);
      expect(leaving.has('worker.draining', { running: 1 })).toBe(true);
      expect(leaving.has('task.requeued', { taskId: long, state: 'queued' })).toBe(true);
      expect(leaving.has('worker.stopped')).toBe(true);
      await until('its steps are dead', () => processesOf([long]).length === 0);
      const back = await world.client.get(long);
      expect(back).toMatchObject({ state: 'queued', runs: 1, attempts: 0, crashes: 0 });
      const patch = back.artifacts.find(({ kind }) => kind === 'patch')?.path ?? 'no patch';
      expect(readFileSync(join(world.dataDir, patch), 'utf8')).toContain('+1');

      const [next] = await world.startWorkers(1);
      expect(await world.ended(long)).toMatchObject({
        state: 'succeeded',
        runs: 2,
        attempts: 1,
        crashes: 0,
        workerId: next?.id,
      });
      expect(remote.show('task/long', 'run.txt')).toBe('2\n');
      // Given back in order: nobody had to find it.
      expect(world.events('claim.reaped')).toEqual([]);
    },
    options,
  );

  systemTest(
    'twice gives everything back at once, however patient it was told to be',
    async (world) => {
      world.remote();
      const hurried = await productWorker(world, FOR_EVER_MS);
      const id = await world.submit({ attempts: 1, implement: [firstTimeForEver(world)] });
      await world.working(id);
      const stopped = hurried.stop();
      await until('it drains', () => hurried.has('worker.draining'));
      expect((await world.client.get(id)).state).toBe('running');
      void hurried.stop();
      expect(await stopped).toBe(0);
      expect(await world.client.get(id)).toMatchObject({ state: 'queued', runs: 1, attempts: 0, crashes: 0 });
      await world.startWorkers(1);
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 1, crashes: 0 });
    },
    options,
  );

  systemTest(
    'thrice ends as it is, though it cannot give anything back',
    async (world) => {
      world.remote();
      const worker = await productWorker(world, FOR_EVER_MS);
      const id = await world.submit({ implement: [firstTimeForEver(world)] });
      await world.working(id);
      const redis = world.redis?.pid ?? 0;
      process.kill(redis, 'SIGSTOP');
      try {
        void worker.stop();
        await until('it drains', () => worker.has('worker.draining'));
        const hurriedAt = performance.now();
        // Signals that come together count as one, so it is signalled until it has counted three.
        await until('it has ended', () => {
          if (worker.isAlive) process.kill(worker.pid, 'SIGTERM');
          return !worker.isAlive;
        });
        expect(performance.now() - hurriedAt).toBeLessThan(GIVES_UP_MS);
        expect(worker.has('worker.stopped')).toBe(false);
        await until('its steps are dead', () => processesOf([id]).length === 0);
      } finally {
        process.kill(redis, 'SIGCONT');
      }
      await world.startWorkers(1);
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 1, crashes: 1 });
    },
    { ...options, redis: 'own' },
  );
});
