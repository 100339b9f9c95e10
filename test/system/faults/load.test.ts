/** Much output and much data are no reason to miss a renewal. */

import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { writeStored } from '../../support/system/stored-record.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const OUTPUT_BYTES = 1_000_000_000;
const TEN_MB = 10_000_000;
const options = { leaseTtl: '2s' };

/** Puts a job with much data into the queue, past all checks. */
async function addJob({ client, redisUrl }: World, jobId: string): Promise<void> {
  const { keys } = client.queue;
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(keys.bull.name, { connection, prefix: keys.bull.prefix });
  await queue.add('task', { v: 1, x: 'x'.repeat(TEN_MB) }, { jobId, priority: 1 });
  await queue.close();
  connection.disconnect();
}

describe('renewals', () => {
  systemTest(
    'are not disturbed by 1 GB of output, nor by jobs and tasks of 10 MB',
    async (world) => {
      world.remote();
      const [worker] = await world.startWorkers(1, { concurrency: 4 });
      const steady = await world.submit({ implement: [world.stamps.workUntil(world.gate('go'))] });
      await world.working(steady);
      const loud = await world.submit({
        implement: [`${world.stamps.note('start')}; head -c ${OUTPUT_BYTES} /dev/zero | tr '\\0' x; echo end`],
      });
      await world.working(loud);

      const tooLarge = world.submit({ implement: ['true'], message: 'x'.repeat(TEN_MB) });
      await expect(tooLarge).rejects.toMatchObject({ code: 'INVALID', field: expect.stringContaining('message') });
      await addJob(world, 'nobody-submitted-this');
      await until('the large job is set aside', () => worker?.has('job.set_aside', { jobId: 'nobody-submitted-this' }));
      // A task that was accepted, and made large by somebody who can write to Redis.
      await world.client.pause();
      const forged = await world.submit({ implement: ['true'] });
      await writeStored(world.client.queue, forged, { envelope: `{"v":1,"x":"${'x'.repeat(TEN_MB)}"}` });
      await world.client.resume();
      expect(await world.ended(forged)).toMatchObject({ state: 'failed', code: 'invalid' });

      expect(await world.ended(loud)).toMatchObject({ state: 'succeeded', runs: 1, attempts: 1, crashes: 0 });
      const [step] = (await world.client.get(loud)).phases.flatMap(({ steps }) => steps);
      expect(step?.outputTail).toMatch(/x{100}end\n$/);
      world.openGate('go');
      expect(await world.ended(steady)).toMatchObject({ state: 'succeeded', runs: 1, attempts: 1, crashes: 0 });
      expect(world.events('lease.lost')).toEqual([]);
      expect(world.events('lease.renewal_failed')).toEqual([]);
    },
    options,
  );
});
