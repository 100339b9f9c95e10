/** The order of tasks on Redis against the rules in memory: the same submissions and starts give the same ranks. */

import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TaskQueue } from '../../../src/queue/task-queue.ts';
import { parseTask } from '../../../src/task/schema.ts';
import { FairQueue } from '../../../src/waiting/fair.ts';
import { PRIORITIES, type Priority } from '../../../src/waiting/rank.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(testRedisUrl());
});
afterAll(async () => {
  await redis.quit();
});

const repo = { key: 'git.example.com/acme/app', url: 'https://git.example.com/acme/app.git' };
const OWNERS = ['a', 'b', 'c'] as const;

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      owner: fc.constantFrom(...OWNERS),
      priority: fc.constantFrom<Priority>(...PRIORITIES),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ start: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ cancel: fc.nat(50) }) },
);

test('the scripts rank as the rules in memory do', async () => {
  const weights = fc.record({ a: fc.constantFrom(0.5, 1, 2), b: fc.constantFrom(1, 3, 0.001) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), weights, async (steps, { a, b }) => {
      const queue = new TaskQueue(redis, {
        queue: freshQueueName(),
        keepAfterMs: 60_000,
        historyLimit: 1_000,
        leaseTtlMs: 10_000,
      });
      const model = new FairQueue();
      await queue.line.setLimit('weight:a', a);
      await queue.line.setLimit('weight:b', b);
      const weightOf = { a, b, c: 1 };
      const waiting: string[] = [];
      for (const one of steps) {
        if ('owner' in one) {
          const { owner, priority, count } = one;
          const task = parseTask({ title: 't', repo: repo.url, implement: ['true'], owner, priority });
          const accepted = await queue.submit(Array.from({ length: count }, () => ({ task, repo, owner })));
          for (const { id } of accepted) {
            expect((await queue.get(id)).rank).toBe(model.enter({ id, owner, priority, weight: weightOf[owner] }));
            waiting.push(id);
          }
          continue;
        }
        const [id] = waiting.splice(('start' in one ? one.start : one.cancel) % Math.max(1, waiting.length), 1);
        if (id === undefined) continue;
        if ('start' in one) {
          const picked = await queue.store.pickUp(id);
          if (picked.kind !== 'ok') throw new Error(picked.kind);
          await queue.store.move(id, { by: 'pickup', number: picked.record.pickup }, { to: 'running' });
        } else {
          await queue.cancel(id);
        }
        model.leave(id);
      }
      await queue.close();
    }),
    { numRuns: 60 },
  );
}, 120_000);
