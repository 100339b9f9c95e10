import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import type { Writer } from '../../../src/queue/refusal.ts';
import { TaskQueue } from '../../../src/queue/task-queue.ts';
import { parseTask } from '../../../src/task/schema.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

const repo = { key: 'git.example.com/acme/app', url: 'https://git.example.com/acme/app.git' };
const settings = { keepAfterMs: 60_000, historyLimit: 1_000, leaseTtlMs: 10_000 };

test('only the newest run writes, told by its number and its runner', async () => {
  const redis = new Redis(testRedisUrl());
  const queue = new TaskQueue(redis, { queue: freshQueueName(), ...settings });
  try {
    const task = parseTask({ title: 't', repo: repo.url, implement: ['true'] });
    const [{ id } = { id: '' }] = await queue.submit([{ task, repo, owner: 'o' }]);
    // As its acquire leaves it, on a Redis that was rolled back and has drawn the number 3 a second time.
    await redis.hset(queue.keys.key('task', id), { run: 3, runner: 'r-new', open: 3 });
    const run = (number: number, runnerId: string): Writer => ({ by: 'run', number, runnerId });
    const outcome = { state: 'succeeded', code: null } as const;
    for (const writer of [run(2, 'r-new'), run(3, 'r-old'), run(4, 'r-new'), run(3, '')]) {
      expect(await queue.store.move(id, writer, { fields: { error: 'x' } })).toEqual({ kind: 'superseded' });
      expect(await queue.finish(id, writer, { outcome, reason: 'r' })).toEqual({ kind: 'superseded' });
    }
    expect(await queue.get(id)).toMatchObject({ state: 'queued', error: null });
    const newest = run(3, 'r-new');
    expect(await queue.store.move(id, newest, { to: 'running' })).toMatchObject({ kind: 'ok' });
    expect(await queue.finish(id, newest, { outcome, reason: 'r' })).toMatchObject({ kind: 'ok' });
  } finally {
    await queue.close();
    await redis.quit();
  }
});
