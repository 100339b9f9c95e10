/** The Lua that moves jobs on BullMQ's own keys, held to what the installed BullMQ does to a queue like it. */

import { readFileSync } from 'node:fs';
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { queueKeys } from '../../../src/redis/keys.ts';
import { readScript } from '../../../src/redis/scripts.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

const FRAGMENT = readScript(new URL('../../../src/queue/bull.lua', import.meta.url));
const TOKEN = 'a-token';
/** Near enough for BullMQ and for the fragment to tell idle workers of it. */
const NEAR_MS = 5_000;

let redis: Redis;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null });
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  redis.disconnect();
});

/** A queue with three jobs, of which the first is being worked on. */
class Twin {
  readonly keys = queueKeys(freshQueueName());
  readonly queue: Queue;
  readonly #worker: Worker;

  constructor() {
    const { name, prefix } = this.keys.bull;
    this.queue = new Queue(name, { connection: redis, prefix });
    this.#worker = new Worker(name, null, { connection: redis, prefix, autorun: false });
    this.#worker.on('error', () => {});
    cleanUps.push(async () => {
      await this.#worker.close(true);
      await this.queue.close();
    });
  }

  async fill(): Promise<Job> {
    for (const [i, jobId] of ['first', 'second', 'third'].entries())
      await this.queue.add('task', {}, { jobId, priority: 7 + i });
    return await this.take();
  }

  async take(): Promise<Job> {
    const job = await this.#worker.getNextJob(TOKEN);
    if (job === undefined) throw new Error('no job');
    return job;
  }

  /** Calls a function of the fragment. */
  async call(lua: string): Promise<unknown> {
    return await redis.eval(`${FRAGMENT}\nreturn ${lua}`, 1, this.keys.all('meta'));
  }

  /** All that BullMQ's keys hold, but for ids of events and what depends on the moment. */
  async dump(): Promise<Record<string, unknown>> {
    const names = await redis.keys(`${this.keys.bull.prefix}:${this.keys.bull.name}:*`);
    const entries = names.map(async (name) => [name.slice(this.keys.prefix.length), await contents(name)] as const);
    return Object.fromEntries((await Promise.all(entries)).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

async function contents(key: string): Promise<unknown> {
  const type = await redis.type(key);
  if (type === 'hash') {
    const fields = await redis.hgetall(key);
    return { ...fields, timestamp: 'time', processedOn: 'time', ...(Number(fields['delay']) > 0 && { delay: 'ms' }) };
  }
  if (type === 'zset') return await redis.zrange(key, '0', '-1', 'WITHSCORES');
  if (type === 'list') return await redis.lrange(key, '0', '-1');
  if (type === 'set') return (await redis.smembers(key)).sort();
  if (type === 'stream') return (await redis.xrange(key, '-', '+')).map(([, fields]) => fields);
  return await redis.get(key);
}

/** Two queues in the same state, one for BullMQ and one for the fragment. */
async function twins(): Promise<{ bull: Twin; job: Job; ours: Twin }> {
  const [bull, ours] = [new Twin(), new Twin()];
  const job = await bull.fill();
  await ours.fill();
  expect(await ours.dump()).toEqual(await bull.dump());
  return { bull, job, ours };
}

test('a job is parked as BullMQ delays it', async () => {
  const { bull, job, ours } = await twins();
  const until = Date.now() + NEAR_MS;
  await job.moveToDelayed(until, TOKEN);
  const date = await delayedUntil(bull);
  await ours.call(`park_job('first', '${TOKEN}', ${date})`);
  expect(await ours.dump()).toEqual(await bull.dump());
});

test('a parked job is promoted as BullMQ promotes it', async () => {
  const { bull, job, ours } = await twins();
  await job.moveToDelayed(Date.now() + NEAR_MS, TOKEN);
  await ours.call(`park_job('first', '${TOKEN}', ${await delayedUntil(bull)})`);
  for (const twin of [bull, ours]) await redis.del(`${twin.keys.prefix}tasks:marker`);
  await job.promote();
  await ours.call("promote_job('first')");
  expect(await ours.dump()).toEqual(await bull.dump());
  expect([(await bull.take()).id, (await ours.take()).id]).toEqual(['first', 'first']);
});

test('a job that is parked for longer than another one leaves the first date to be told, as in BullMQ', async () => {
  const { bull, job, ours } = await twins();
  const [soon, later] = [Date.now() + NEAR_MS / 2, Date.now() + NEAR_MS];
  await job.moveToDelayed(soon, TOKEN);
  await ours.call(`park_job('first', '${TOKEN}', ${await delayedUntil(bull)})`);
  const next = await bull.take();
  await ours.take();
  await next.moveToDelayed(later, TOKEN);
  await ours.call(`park_job('second', '${TOKEN}', ${await delayedUntil(bull, -1)})`);
  expect(await ours.dump()).toEqual(await bull.dump());
});

test('a job that is promoted while no worker may take one wakes none, as in BullMQ', async () => {
  const { bull, job, ours } = await twins();
  for (const twin of [bull, ours]) await twin.take();
  await job.moveToDelayed(Date.now() + NEAR_MS, TOKEN);
  await ours.call(`park_job('first', '${TOKEN}', ${await delayedUntil(bull)})`);
  for (const twin of [bull, ours]) {
    await twin.queue.setGlobalConcurrency(1);
    await redis.del(`${twin.keys.prefix}tasks:marker`);
  }
  await job.promote();
  await ours.call("promote_job('first')");
  expect(await redis.exists(`${ours.keys.prefix}tasks:marker`)).toBe(0);
  expect(await ours.dump()).toEqual(await bull.dump());
});

test('a job whose lock another worker has is not parked, and one that does not sleep is not promoted', async () => {
  const { ours } = await twins();
  const before = await ours.dump();
  expect(await ours.call(`has_job('first', '${TOKEN}')`)).toBe(1);
  expect(await ours.call(`has_job('first', 'another token')`)).toBeNull();
  await ours.call(`park_job('first', 'another token', ${Date.now()})`);
  await ours.call("promote_job('second')");
  expect(await ours.dump()).toEqual(before);
});

test('the fragment names no key that BullMQ itself does not use', () => {
  const named = [...FRAGMENT.matchAll(/BULL \.\. '(\w+)'/g)].map(([, name = '']) => name);
  const source = readFileSync(
    new URL('../../../node_modules/bullmq/dist/cjs/classes/queue-keys.js', import.meta.url),
    'utf8',
  );
  expect(named.length).toBeGreaterThan(5);
  for (const name of named) expect(source).toContain(`'${name}'`);
});

/** The date of the first job that sleeps, or of another one by its place. */
async function delayedUntil({ keys }: Twin, place = 0): Promise<number> {
  const [, score] = await redis.zrange(`${keys.prefix}tasks:delayed`, String(place), String(place), 'WITHSCORES');
  return Math.floor(Number(score) / 0x1000);
}
