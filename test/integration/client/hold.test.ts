/** Claims around a function: they wait their turn, exclude tasks and each other, and say when they are lost. */

import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Signalbox } from '../../../src/client/signalbox.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

const repo = 'https://git.example.com/acme/app';
let one: Signalbox;
let other: Signalbox;
let redis: Redis;

beforeEach(async () => {
  const options = { redisUrl: testRedisUrl(), queue: freshQueueName(), leaseTtl: '2s' };
  one = await Signalbox.connect(options);
  other = await Signalbox.connect(options);
  redis = new Redis(testRedisUrl());
});
afterEach(async () => {
  await Promise.all([one.close(), other.close(), redis.quit()]);
});

const leftKeys = async (): Promise<string[]> =>
  (await redis.keys(`${one.queue.keys.prefix}*`)).filter((key) => !/:(meta|tending|tasks:.*)$/.test(key));

test('the second waits until the first has ended, and nothing is left over', async () => {
  const order: string[] = [];
  let letGo: () => void = () => {};
  const first = one.hold({ repo, write: ['src/**'] }, async () => {
    order.push('first begins');
    await new Promise<void>((resolve) => (letGo = resolve));
    order.push('first ends');
  });
  await expect.poll(() => order).toEqual(['first begins']);
  const second = other.hold({ repo, write: ['src/a.ts'] }, () => order.push('second begins'));
  await expect.poll(async () => (await other.claims()).waiting.length).toBe(1);
  const [held] = (await other.claims()).held;
  expect(held).toMatchObject({ resource: 'path:src', mode: 'write', taskId: null });
  letGo();
  await Promise.all([first, second]);
  expect(order).toEqual(['first begins', 'first ends', 'second begins']);
  expect(await leftKeys()).toEqual([]);
});

test('without waiting a conflict is an error that names what is held', async () => {
  await one.hold({ repo, branch: 'main' }, async () => {
    const refused = other.hold({ repo, branch: 'main' }, () => 'never', { wait: false });
    await expect(refused).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('branch:main') as string,
    });
  });
  expect(await leftKeys()).toEqual([]);
});

test('what the function answers or throws is passed on, and the claim is given back both times', async () => {
  expect(await one.hold({ repo, write: ['a'] }, () => 42)).toBe(42);
  await expect(one.hold({ repo, write: ['a'] }, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
  expect(await leftKeys()).toEqual([]);
});

test('a claim that is lost aborts its signal, and the result is not trusted', async () => {
  const lost = one.hold({ repo, write: ['a'] }, async ({ signal, holder }) => {
    expect(await redis.del(one.queue.keys.key('lease', holder))).toBe(1);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    return 'done all the same';
  });
  await expect(lost).rejects.toMatchObject({ code: 'LEASE_LOST' });
});

test('one that waits frees what a dead holder had, though no worker is there', async () => {
  const dead = await one.queue.locker.acquire({
    holder: 'h-dead',
    kind: 'hold',
    ticket: 'h-dead',
    worker: 'host',
    rank: 1,
    class: 2,
    policy: 'wait',
    nodes: [{ name: 'git.example.com/acme/app#path:a', mode: 'X', shown: 'a' }],
  });
  expect(dead.kind).toBe('held');
  expect(await other.hold({ repo, write: ['a'] }, () => 'got it')).toBe('got it');
  expect(await leftKeys()).toEqual([]);
});

test('waiting can be given up; the place in line goes with it', async () => {
  await one.hold({ repo, write: ['a'] }, async () => {
    const controller = new AbortController();
    const waiting = other.hold({ repo, write: ['a'] }, () => 'never', { signal: controller.signal });
    await expect.poll(async () => (await one.claims()).waiting.length).toBe(1);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect((await one.claims()).waiting).toEqual([]);
  });
});
