/** BullMQ's priorities count from a base; when virtual time has left it far behind they are counted anew. */

import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TaskQueue } from '../../../src/queue/task-queue.ts';
import { parseTask } from '../../../src/task/schema.ts';
import { bullPriority, QUANTUM } from '../../../src/waiting/rank.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

let redis: Redis;
beforeAll(() => {
  redis = new Redis(testRedisUrl());
});
afterAll(async () => {
  await redis.quit();
});

const repo = { key: 'git.example.com/acme/app', url: 'https://git.example.com/acme/app.git' };

test('a base that was left far behind moves, and waiting jobs are told apart again', async () => {
  const queue = new TaskQueue(redis, {
    queue: freshQueueName(),
    keepAfterMs: 60_000,
    historyLimit: 100,
    leaseTtlMs: 10_000,
  });
  const submit = async (owner: string, count: number) => {
    const task = parseTask({ title: 't', repo: repo.url, implement: ['true'], owner });
    return await queue.submit(Array.from({ length: count }, () => ({ task, repo, owner })));
  };
  const priorityOf = async (id: string): Promise<number> =>
    Number(await redis.hget(`${queue.keys.bull.prefix}:${queue.keys.bull.name}:${id}`, 'priority'));

  // A queue that has been at work for long: two hundred thousand tasks later its base is where it was.
  const now = 200_000 * QUANTUM;
  for (const at of [0, 1, 2, 3]) await redis.hset(queue.keys.all('fair'), `v:${at}`, now);
  await submit('first', 1);
  await redis.hset(queue.keys.all('meta'), 'rankBase', 0);
  const many = await submit('many', 3);
  const before = await Promise.all(many.map(async ({ id }) => await priorityOf(id)));
  expect(new Set(before).size).toBe(1);

  await queue.tend();
  const base = await queue.store.rankBase();
  expect(base).toBeGreaterThan(now - 2 * QUANTUM);
  for (const { id } of many) {
    const { rank } = await queue.get(id);
    expect(await priorityOf(id)).toBe(bullPriority(rank, base));
  }
  const after = await Promise.all(many.map(async ({ id }) => await priorityOf(id)));
  expect(after).toEqual(after.toSorted((a, b) => a - b));
  expect(new Set(after).size).toBe(3);
  await queue.close();
});
