/** Each way in which a wake-up could be lost, forced: the test itself plays whoever is too early, too late or dead. */

import { Worker as BullWorker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Acquired } from '../../../src/claims/answers.ts';
import { Claim, processClock } from '../../../src/claims/claim.ts';
import { claimSet } from '../../../src/claims/claim-set.ts';
import type { HeldLock } from '../../../src/claims/locker.ts';
import { defineConfig } from '../../../src/config/config.ts';
import { Consumer, DEAD_MAN_MS, type Disposition } from '../../../src/queue/consumer.ts';
import { TaskQueue } from '../../../src/queue/task-queue.ts';
import { parseTask } from '../../../src/task/schema.ts';
import { wantsOf } from '../../../src/task/stored.ts';
import { classOf } from '../../../src/waiting/rank.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

let redis: Redis;
let queue: TaskQueue;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null });
  queue = new TaskQueue(redis, defineConfig({ queue: freshQueueName(), leaseTtl: '30s' }));
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  await queue.close();
  redis.disconnect();
});

const repo = { key: 'git.example.com/acme/app', url: 'https://git.example.com/acme/app' };

async function submit(write: string[]): Promise<string> {
  const task = parseTask({ title: 'a task', repo: repo.url, claims: { write }, implement: ['true'] });
  const [accepted] = await queue.submit([{ task, repo, owner: 'tester' }]);
  return accepted?.id ?? '';
}

/** With a token: for a job that a worker has taken. */
interface Asking {
  readonly token?: string | undefined;
  readonly parkUntil?: number;
}

/** How many have asked so far. */
let asked = 0;

/** Asks for a task's claim, as `run-task` does; with a token, for a job that a worker has taken. */
async function ask(id: string, token?: string): Promise<Acquired> {
  return await askAs(id, { token });
}

async function askAs(id: string, { token, parkUntil = far() }: Asking = {}): Promise<Acquired> {
  asked += 1;
  const { branch, envelope, rank, repoKey } = await queue.get(id);
  const nodes = claimSet({ repoKey, branch, owner: 'tester', ...wantsOf(envelope).claims });
  return await queue.locker.acquire({
    holder: `r-${id}-${asked}`,
    kind: 'run',
    ticket: id,
    task: id,
    worker: 'w-test',
    rank,
    class: classOf('normal'),
    policy: 'wait',
    nodes,
    ...(token === undefined ? {} : { run: { host: 'host', alone: false, token, parkUntil, deadMan: far() } }),
  });
}

function held(acquired: Acquired): HeldLock {
  if (acquired.kind !== 'held') throw new Error(`not held: ${acquired.kind}`);
  return acquired.lock;
}

/** A consumer whose takes the test decides; answers the ids it was given, in order. */
async function consume(take: (id: string, token: string) => Promise<Disposition>): Promise<string[]> {
  const taken: string[] = [];
  const consumer = new Consumer({
    redis,
    keys: queue.keys,
    bull: queue.bull,
    concurrency: 4,
    lockDurationMs: 30_000,
    stalledIntervalMs: 15_000,
    take: async ({ id, token }) => {
      taken.push(id);
      return await take(id, token);
    },
    onError: () => {},
  });
  cleanUps.push(async () => await consumer.stop());
  await consumer.start();
  return taken;
}

/** Takes the next job by hand, so that the test can stop half-way. */
async function takeByHand(token: string): Promise<Job> {
  const worker = new BullWorker(queue.keys.bull.name, null, {
    connection: redis,
    prefix: queue.keys.bull.prefix,
    autorun: false,
  });
  worker.on('error', () => {});
  cleanUps.push(async () => await worker.close(true));
  const job = (await worker.getNextJob(token)) as Job | undefined;
  if (job === undefined) throw new Error('no job');
  return job;
}

const far = (): number => Date.now() + DEAD_MAN_MS;
const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  await expect.poll(condition, { timeout: 15_000, interval: 10 }).toBe(true);
};

test('a job is parked in the step that files its ticket, so a release right after it wakes it', async () => {
  const first = await submit(['x']);
  const holder = held(await ask(first));
  await queue.bull.remove(first);
  const second = await submit(['x']);
  const taken = await consume(async (id, token) => {
    const acquired = await ask(id, token);
    if (acquired.kind === 'held') return { kind: 'ended' };
    // The holder releases now, before the worker has heard of anything.
    await queue.locker.release(holder);
    return { kind: 'parked' };
  });
  await until(() => taken.length === 2);
  expect(taken).toEqual([second, second]);
});

test('a releaser that dies right after its release has woken whoever it served', async () => {
  const first = await submit(['x']);
  const holder = held(await ask(first));
  await queue.bull.remove(first);
  const second = await submit(['x']);
  const seen: string[] = [];
  await consume(async (id, token) => {
    const acquired = await ask(id, token);
    seen.push(acquired.kind);
    return acquired.kind === 'blocked' ? { kind: 'parked' } : { kind: 'ended' };
  });
  await until(async () => (await queue.bull.parked()) === 1);
  expect(await queue.line.look(second)).toBe('waiting');
  // The script has done all: nothing is left for whoever called it.
  expect(await queue.locker.release(holder)).toEqual([{ kind: 'task', ticket: second }]);
  await until(() => seen.length === 2);
  expect(seen).toEqual(['blocked', 'held']);
  expect(await queue.tend()).toEqual([]);
});

test('a worker that dies when it has parked a job leaves it to be woken', async () => {
  const first = await submit(['x']);
  const holder = held(await ask(first));
  await queue.bull.remove(first);
  const second = await submit(['x']);
  const job = await takeByHand('parker');
  expect(job.id).toBe(second);
  expect(await ask(second, 'parker')).toMatchObject({ kind: 'blocked' });
  // Here the parker dies, before it does anything more.
  expect(await queue.bull.parked()).toBe(1);
  await queue.locker.release(holder);
  expect(await queue.bull.parked()).toBe(0);
  expect((await takeByHand('next')).id).toBe(second);
});

test('a job that sleeps though its task has been granted is woken by whoever tends', async () => {
  const first = await submit(['x']);
  const holder = held(await ask(first));
  await queue.bull.remove(first);
  const second = await submit(['x']);
  const job = await takeByHand('parker');
  expect((await ask(second)).kind).toBe('blocked');
  await queue.locker.release(holder);
  // Somebody from outside puts it to sleep.
  await job.moveToDelayed(far(), 'parker');
  await until(async () => (await queue.tend()).includes(second));
  expect(await queue.bull.parked()).toBe(0);
});

test('cancel while granted: the reservation goes to the next in line', async () => {
  const holder = held(await ask(await submit(['x'])));
  const second = await submit(['x']);
  const third = await submit(['x']);
  expect([(await ask(second)).kind, (await ask(third)).kind]).toEqual(['blocked', 'blocked']);
  expect(await queue.locker.release(holder)).toEqual([{ kind: 'task', ticket: second }]);
  expect(await queue.cancel(second)).toBe('cancelled');
  expect(await queue.line.look(second)).toBeUndefined();
  expect(await queue.line.look(third)).toBe('granted');
  expect((await ask(third)).kind).toBe('held');
});

test('a lease lapses and its holder releases late: the successor keeps what it got', async () => {
  const first = await submit(['x']);
  const late = held(await ask(first));
  const second = await submit(['x']);
  await ask(second);
  await redis.del(queue.keys.key('lease', late.holder));
  // It keeps its place: its next run comes before the task that waited for it.
  expect(await queue.locker.reap(late.holder, late.value)).toEqual([{ kind: 'task', ticket: first }]);
  const successor = held(await ask(first));
  expect(await queue.line.look(second)).toBe('waiting');
  expect(await queue.locker.release(late)).toBeUndefined();
  expect(await queue.locker.renew(late)).toBe('lost');
  expect(await queue.locker.renew(successor)).toBe('renewed');
});

test('a ticket filed twice stands in one line only, under the newer obstacle', async () => {
  const a = held(await ask(await submit(['a'])));
  const wants = await submit(['a', 'b']);
  expect((await ask(wants)).kind).toBe('blocked');
  held(await ask(await submit(['b'])));
  await queue.locker.release(a);
  expect((await ask(wants)).kind).toBe('blocked');
  const lines = await redis.keys(`${queue.keys.prefix}line:*`);
  expect(lines).toHaveLength(1);
  expect(await redis.zcard(lines[0] ?? '')).toBe(1);
  expect(lines[0]).toContain('path:b');
});

test('a worker that asks when another has the job by now is refused and files nothing', async () => {
  const holder = await submit(['x']);
  held(await ask(holder));
  await queue.bull.remove(holder);
  const id = await submit(['x']);
  await takeByHand('newer');
  expect(await ask(id, 'older')).toEqual({ kind: 'stale' });
  expect(await queue.line.look(id)).toBeUndefined();
  expect((await queue.get(id)).pickup).toBe(0);
  expect(await ask(id, 'newer')).toMatchObject({ kind: 'blocked', pickup: 1 });
});

test('what a pick-up writes is refused once a later one has asked', async () => {
  held(await ask(await submit(['x'])));
  const id = await submit(['x']);
  const earlier = await ask(id);
  if (earlier.kind !== 'blocked') throw new Error(earlier.kind);
  expect(await ask(id)).toMatchObject({ kind: 'blocked', pickup: earlier.pickup + 1 });
  const outcome = { state: 'failed', code: 'conflict' } as const;
  const writer = { by: 'pickup', number: earlier.pickup } as const;
  expect(await queue.finish(id, writer, { outcome, reason: 'late' })).toEqual({ kind: 'superseded' });
});

test('a job removed from outside while its task waits gets a new one', async () => {
  held(await ask(await submit(['x'])));
  const id = await submit(['x']);
  await ask(id);
  await queue.bull.remove(id);
  expect(await queue.bull.have([id])).toEqual([false]);
  await queue.tend();
  expect(await queue.bull.have([id])).toEqual([true]);
});

test('a job removed from outside once its worker is dead and its lock has lapsed gets a new one', async () => {
  const id = await submit(['x']);
  await takeByHand('dead');
  const lock = held(await ask(id, 'dead'));
  expect(await queue.get(id)).toMatchObject({ state: 'running' });
  await redis.del(`${queue.keys.prefix}tasks:${id}:lock`, queue.keys.key('lease', lock.holder));
  await queue.bull.remove(id);
  expect(await queue.bull.have([id])).toEqual([false]);
  await queue.locker.reap(lock.holder, lock.value);
  await queue.tend();
  expect((await takeByHand('next')).id).toBe(id);
  expect(await ask(id, 'next')).toMatchObject({ kind: 'held', run: 2, crashes: 1 });
});

test('a submitter that dies before the job is added: the task gets its job from somebody else', async () => {
  const add = queue.bull.add.bind(queue.bull);
  queue.bull.add = async () => await Promise.reject(new Error('the submitter dies here'));
  const id = await submit(['x']);
  queue.bull.add = add;
  expect(await queue.bull.have([id])).toEqual([false]);
  await until(async () => {
    await queue.tend();
    return (await queue.bull.have([id]))[0] === true;
  });
});

test('a waiter without a job that dies gives up its place', async () => {
  const holder = held(await ask(await submit(['x'])));
  const nodes = claimSet({ repoKey: repo.key, write: ['x'], read: [] });
  await queue.locker.acquire({
    holder: 'h-dead',
    kind: 'hold',
    ticket: 'h-dead',
    worker: 'host',
    class: classOf('normal'),
    policy: 'wait',
    nodes,
  });
  const second = await submit(['x']);
  await ask(second);
  expect(await queue.locker.release(holder)).toEqual([{ kind: 'hold', ticket: 'h-dead' }]);
  await queue.tend();
  expect(await queue.line.look('h-dead')).toBeUndefined();
  expect(await queue.line.look(second)).toBe('granted');
});

test('a task whose earlier run is still held waits for it, whatever its policy, and is served by its release', async () => {
  const id = await submit(['x']);
  const earlier = held(await ask(id));
  expect(await ask(id)).toMatchObject({ kind: 'blocked', own: true });
  expect(await queue.locker.release(earlier)).toEqual([{ kind: 'task', ticket: id }]);
  expect(await ask(id)).toMatchObject({ kind: 'held', run: 2 });
});

test('a pause between the pick-up and the claim: the task waits for its end, and so does a reservation', async () => {
  const holder = held(await ask(await submit(['x'])));
  const reserved = await submit(['x']);
  await ask(reserved);
  await queue.locker.release(holder);
  expect(await queue.line.look(reserved)).toBe('granted');
  await queue.pause();
  expect(await queue.line.look(reserved)).toBe('waiting');
  const free = await submit(['y']);
  expect(await ask(free)).toMatchObject({ kind: 'blocked', obstacle: '#paused' });
  await queue.resume();
  expect([await queue.line.look(reserved), await queue.line.look(free)]).toEqual(['granted', 'granted']);
});

test('a task that its own quota stops does not hold virtual time back, and does again once something else blocks it', async () => {
  await queue.line.setLimit('owner:tester', 1);
  held(await ask(await submit(['x'])));
  const id = await submit(['y']);
  const counts = async () => (await redis.zscore(queue.keys.key('waiting', String(classOf('normal'))), id)) !== null;
  expect(await ask(id)).toMatchObject({ obstacle: '#owner:tester' });
  expect(await counts()).toBe(false);
  const nodes = claimSet({ repoKey: repo.key, write: ['y'], read: [] });
  const common = { worker: 'host', class: classOf('normal'), policy: 'wait' as const, nodes };
  await queue.locker.acquire({ holder: 'h-1', kind: 'hold', ticket: 'h-1', ...common });
  // It asks anew, woken by its far date, when the quota is not in its way any more.
  await redis.del(queue.keys.all('limits'));
  expect(await ask(id)).toMatchObject({ kind: 'blocked' });
  expect(await counts()).toBe(true);
});

test('a task that waits for its own earlier run sleeps until it is woken, however long it wanted to wait', async () => {
  const id = await submit(['x']);
  const earlier = held(await ask(id));
  const taken: string[] = [];
  await consume(async (task, token) => {
    taken.push(task);
    // It has waited longer than it wanted to.
    const acquired = await askAs(task, { token, parkUntil: Date.now() });
    return acquired.kind === 'held' ? { kind: 'ended' } : { kind: 'parked' };
  });
  await until(async () => (await queue.bull.parked()) === 1);
  expect(taken).toHaveLength(1);
  await queue.locker.release(earlier);
  await until(() => taken.length === 2);
});

test.each(['no number', '-3', '1e300', '7.5'])(
  'a record whose count of conflicts somebody has made %s gets in line all the same',
  async (text) => {
    const holder = await submit(['x']);
    held(await ask(holder));
    await queue.bull.remove(holder);
    const id = await submit(['x']);
    await redis.hset(queue.keys.key('task', id), 'conflicts', text);
    await takeByHand('parker');
    expect(await ask(id, 'parker')).toMatchObject({ kind: 'blocked' });
    expect((await queue.get(id)).conflicts).toMatchObject([{ resource: 'path:x', holderTaskId: holder }]);
  },
);

test('of many conflicts the newest fifty are kept, in their order', async () => {
  const holder = await submit(['x']);
  held(await ask(holder));
  await queue.bull.remove(holder);
  const id = await submit(['x']);
  const key = queue.keys.key('task', id);
  // As if it had met 74 of them.
  const met = Array.from({ length: 74 }, (_, i) => [`c:${(i + 1) % 50}`, `${i + 1} - path:${i + 1}`] as const);
  await redis.hset(key, { conflicts: 74, ...Object.fromEntries(met) });
  await takeByHand('parker');
  await ask(id, 'parker');
  const { conflicts } = await queue.get(id);
  const earlier = Array.from({ length: 49 }, (_, i) => `path:${i + 26}`);
  expect(conflicts.map(({ resource }) => resource)).toEqual([...earlier, 'path:x']);
  expect(conflicts.at(-1)?.holderTaskId).toBe(holder);
  expect(conflicts[0]).toEqual({ resource: 'path:26', holderTaskId: null, at: new Date(26).toISOString() });
});

test('what waits is laid out in one piece: no hash of it has a long value', async () => {
  held(await ask(await submit(['x'])));
  const id = await submit(['x', 'y', 'src/some/folder/with/a/name.ts']);
  const { prefix, name } = queue.keys.bull;
  const hashes = [queue.keys.key('task', id), `${prefix}:${name}:${id}`];
  const encodings = async () => await Promise.all(hashes.map(async (key) => await redis.object('ENCODING', key)));
  expect(new Set(await encodings())).not.toContain('hashtable');
  await ask(id);
  hashes.push(queue.keys.key('ticket', id));
  expect(new Set(await encodings())).not.toContain('hashtable');
});

test('a job comes back whose worker could not say what became of it', async () => {
  const id = await submit(['x']);
  const taken = await consume(async () => {
    if (taken.length === 1) throw new Error('Redis refused a write');
    return await Promise.resolve({ kind: 'ended' } as const);
  });
  await until(() => taken.length === 2);
  expect(taken).toEqual([id, id]);
});

test('a run whose end was written before, and the answer lost, leaves no job asleep behind it', async () => {
  const id = await submit(['x']);
  const lock = held(await ask(id));
  // Its job was taken again meanwhile, and sleeps behind the run.
  await takeByHand('again');
  expect(await ask(id, 'again')).toMatchObject({ kind: 'blocked', own: true });
  const timings = { leaseTtlMs: 30_000, renewEveryMs: 10_000, marginMs: 6_000 };
  const claim = new Claim({ locker: queue.locker, lock, timings, sentAt: processClock(), clock: processClock });
  const writer = { by: 'run', number: 1, runnerId: lock.holder } as const;
  const finish = { outcome: { state: 'succeeded', code: null }, reason: 'done' } as const;
  expect(await queue.store.finish(id, writer, finish)).toMatchObject({ kind: 'ok' });
  expect(await queue.endRun(claim, { id, writer, finish })).toEqual({ kind: 'ended' });
  expect(await queue.bull.have([id])).toEqual([false]);
});

/** From now on the answers to claims that are held are lost, until the answer is called. */
function loseAnswers(): () => void {
  const evalsha = redis.evalsha.bind(redis) as (...args: unknown[]) => Promise<unknown>;
  let loses = true;
  redis.evalsha = async (...args: unknown[]) => {
    const answer = await evalsha(...args);
    if (loses && Array.isArray(answer) && answer[1] === 'held') throw new Error('the answer is lost');
    return answer;
  };
  return () => {
    loses = false;
  };
}

test('a claim that was taken and whose answer was lost is given back as if it had never been', async () => {
  const id = await submit(['x']);
  const find = loseAnswers();
  await takeByHand('first');
  expect(await ask(id, 'first')).toMatchObject({ kind: 'unknown' });
  find();
  expect(await queue.get(id)).toMatchObject({ state: 'queued', run: 0, startedAt: null });
  expect((await queue.store.history(id)).map(({ state }) => state)).toEqual(['queued']);
  expect(await ask(id, 'first')).toMatchObject({ kind: 'held', run: 1, crashes: 0 });
});

test('of claims that come to nothing again and again a history tells the last, in steps that a task can make', async () => {
  const id = await submit(['x']);
  await takeByHand('first');
  const told = async () => (await queue.store.history(id)).map(({ state, reason }) => [state, reason]);
  const putOff = async (reason: string): Promise<void> => {
    expect(await ask(id, 'first')).toMatchObject({ kind: 'unknown' });
    const { pickup } = await queue.get(id);
    expect(await queue.store.move(id, { by: 'pickup', number: pickup }, { to: 'scheduled', reason })).toMatchObject({
      kind: 'ok',
    });
  };
  let find = loseAnswers();
  for (const reason of ['one', 'two', 'three']) await putOff(reason);
  find();
  expect(await told()).toEqual([
    ['queued', 'submitted'],
    ['scheduled', 'three'],
  ]);

  const run = held(await ask(id, 'first'));
  const { run: number, runnerId } = await queue.get(id);
  const writer = { by: 'run', number, runnerId: runnerId ?? '' } as const;
  expect(await queue.store.move(id, writer, { to: 'scheduled', reason: 'failed' })).toMatchObject({ kind: 'ok' });
  await queue.locker.release(run);
  find = loseAnswers();
  for (const reason of ['four', 'five']) await putOff(reason);
  find();
  expect((await told()).slice(2)).toEqual([
    ['running', 'all that it claims is held'],
    ['scheduled', 'failed'],
    ['queued', 'its claim came to nothing'],
    ['scheduled', 'five'],
  ]);
});
