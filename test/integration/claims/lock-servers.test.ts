/** Lock servers: a claim counts when the queue's Redis has admitted it and a quorum of them agree. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Acquired } from '../../../src/claims/answers.ts';
import { Claim, processClock } from '../../../src/claims/claim.ts';
import { type ClaimSpec, claimSet } from '../../../src/claims/claim-set.ts';
import { LockServers, votingServers } from '../../../src/claims/lock-servers.ts';
import { type HeldLock, Locker } from '../../../src/claims/locker.ts';
import { timings } from '../../../src/config/timings.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { probePort } from '../../../src/redis/free-port.ts';
import { queueKeys } from '../../../src/redis/keys.ts';
import { lockServerFindings } from '../../../src/redis/lock-server-health.ts';
import { until } from '../../support/system/until.ts';

const TTL_MS = 3_000;
const keys = queueKeys('lock-servers');
let dir: string;
let queueServer: EmbeddedRedis;
let queue: Redis;
let servers: EmbeddedRedis[];
let clients: Redis[];
const lockers: Locker[] = [];
let drawn = 0;

/** As many as there are processes that take claims: each has connections of its own. */
function newLocker(): Locker {
  const lockServers = new LockServers({ urls: servers.map(({ url }) => url), keys, leaseTtlMs: TTL_MS });
  const locker = new Locker({ redis: queue, keys, leaseTtlMs: TTL_MS, keepAfterMs: 60_000, servers: lockServers });
  lockers.push(locker);
  return locker;
}

async function ask(locker: Locker, spec: Partial<ClaimSpec>): Promise<Acquired> {
  drawn += 1;
  const nodes = claimSet({ repoKey: 'repo', write: [], read: [], ...spec });
  const shared = { kind: 'hold', worker: 'w', rank: 1, class: 2, policy: 'fail' } as const;
  return await locker.acquire({ holder: `h${drawn}`, ticket: `t${drawn}`, nodes, ...shared });
}

/** Asks until it is held: a server that has just come into use does not vote at first. */
async function held(locker: Locker, spec: Partial<ClaimSpec>): Promise<HeldLock> {
  return await until(`${JSON.stringify(spec)} is held`, async () => {
    const acquired = await ask(locker, spec);
    return acquired.kind === 'held' ? acquired.lock : undefined;
  });
}

/** Asks until it is refused for this reason: a busy machine may answer too late at first. It is never held. */
async function refused(locker: Locker, spec: Partial<ClaimSpec>, why: RegExp): Promise<void> {
  await until(`${JSON.stringify(spec)} is refused because it ${why.source}`, async () => {
    const acquired = await ask(locker, spec);
    if (acquired.kind !== 'unconfirmed') throw new Error(`it is ${acquired.kind}`);
    return why.test(acquired.reason);
  });
}

/** Renews until a quorum has agreed; answers when that renewal was sent. */
async function renewed(locker: Locker, lock: HeldLock): Promise<number> {
  return await until('it is renewed', async () => {
    const sentAt = processClock();
    return (await locker.renew(lock)) === 'renewed' ? sentAt : undefined;
  });
}

const entries = async (i: number): Promise<string[]> => (await clients[i]?.keys(`${keys.prefix}lock*:*`)) ?? [];
const freeze = (i: number): boolean => process.kill(servers[i]?.pid ?? 0, 'SIGSTOP');
const thaw = (i: number): boolean => process.kill(servers[i]?.pid ?? 0, 'SIGCONT');
const start = async (i: number, port?: number): Promise<EmbeddedRedis> =>
  await startEmbeddedRedis({ dir: join(dir, String(i)), aof: false, ...(port === undefined ? {} : { port }) });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'signalbox-lock-servers-'));
  queueServer = await startEmbeddedRedis({ dir: join(dir, 'queue'), aof: false });
  servers = await Promise.all([0, 1, 2].map(async (i) => await start(i)));
  queue = new Redis(queueServer.url);
  clients = servers.map(({ url }) => new Redis(url));
  for (const client of clients) client.on('error', () => {});
});

afterEach(async () => {
  for (const i of [0, 1, 2]) thaw(i);
  for (const locker of lockers.splice(0)) locker.close();
  // Each test begins with servers that vote and hold nothing.
  await queue.flushall();
  for (const client of clients) {
    const left = await client.keys(`${keys.prefix}lock*:*`);
    if (left.length > 0) await client.del(...left);
  }
});

afterAll(async () => {
  for (const client of [queue, ...clients]) client.disconnect();
  await Promise.all([queueServer, ...servers].map(async (server) => await server.stop()));
  await rm(dir, { recursive: true, force: true });
});

test('a server that was started or emptied does not vote for one lease', async () => {
  const locker = newLocker();
  const askedAt = performance.now();
  await refused(locker, { write: ['a'] }, /less than a lease ago/);
  await locker.release(await held(locker, { write: ['a'] }));
  expect(performance.now() - askedAt).toBeGreaterThan(TTL_MS - 100);

  // Again, when one server is down and another one has been emptied: only two could vote, and one of these does not.
  await clients[0]?.flushall();
  freeze(1);
  const emptiedAt = performance.now();
  await refused(locker, { write: ['a'] }, /less than a lease ago.*in time|in time.*less than a lease ago/);
  await held(locker, { write: ['a'] });
  expect(performance.now() - emptiedAt).toBeGreaterThan(TTL_MS - 100);
});

test('one dead or slow server stalls nobody', async () => {
  const locker = newLocker();
  await locker.release(await held(locker, { write: ['warm-up'] }));
  freeze(1);
  const claim = await held(locker, { write: ['a'] });
  await renewed(locker, claim);
  expect(await entries(0)).not.toEqual([]);
  await locker.release(claim);
  await until('the others have forgotten the claim', async () => (await entries(0)).length === 0);
  thaw(1);
  await until('the slow server has forgotten the claim too', async () => (await entries(1)).length === 0);

  const { port = 0 } = servers[2] ?? {};
  await servers[2]?.stop();
  await locker.release(await held(locker, { write: ['b'] }));
  servers[2] = await start(2, port);
});

test('without a quorum nobody is admitted, nothing stays behind, and all goes on when the servers are back', async () => {
  const locker = newLocker();
  await locker.release(await held(locker, { write: ['warm-up'] }));
  freeze(1);
  freeze(2);
  await refused(locker, { write: ['a'] }, /did not answer in time/);
  await until('what one server had entered is taken back', async () => (await entries(0)).length === 0);
  expect(await queue.keys(`${keys.prefix}*`), 'what the queue’s Redis had admitted').toEqual([]);
  thaw(1);
  thaw(2);
  await locker.release(await held(locker, { write: ['a'] }));
  for (const i of [0, 1, 2]) await until(`server ${i} is empty`, async () => (await entries(i)).length === 0);
});

test('a queue that has forgotten a claim does not give it away while its holder lives', async () => {
  const [one, other] = [newLocker(), newLocker()];
  const claim = await held(one, { write: ['src/a'], read: ['docs'] });
  await queue.flushall();
  const keepUp = setInterval(() => void one.renew(claim), TTL_MS / 6);
  try {
    // What does not conflict is admitted, readers together too.
    await other.release(await held(other, { write: ['src/b'], read: ['docs'] }));
    for (const spec of [{ write: ['src'] }, { write: ['docs/x'] }, { read: ['src/a'] }])
      await refused(other, spec, /somebody else’s claim/);
    expect(await one.renew(claim), 'the holder is told').toBe('lost');
  } finally {
    clearInterval(keepUp);
  }
  await one.release(claim);
  await held(other, { write: ['src'] });
});

test('a dead holder’s claim ends with its lease, also beside one that lives', async () => {
  const [dead, alive, other] = [newLocker(), newLocker(), newLocker()];
  const reader = await held(alive, { read: ['docs/a'] });
  const renewedAt = await renewed(dead, await held(dead, { read: ['docs'] }));
  dead.close();
  await queue.flushall();
  const keepUp = setInterval(() => void alive.renew(reader), TTL_MS / 6);
  try {
    await held(other, { write: ['docs/b'] });
    expect(processClock() - renewedAt).toBeGreaterThan(TTL_MS - 100);
  } finally {
    clearInterval(keepUp);
  }
});

test('a holder that cannot renew on a quorum stops at its deadline, though the queue’s Redis answers', async () => {
  const locker = newLocker();
  const lock = await held(locker, { write: ['a'] });
  const sentAt = await renewed(locker, lock);
  const claim = new Claim({ locker, lock, timings: timings(TTL_MS), sentAt, clock: processClock });
  let renewals = 0;
  claim.onRenewed = () => (renewals += 1);
  await until('it was renewed', () => renewals > 0);

  // One server forgets it: it is entered again there, and counts once the server votes.
  await clients[0]?.flushall();
  await until('it is entered again', async () => (await entries(0)).length > 0);
  expect(claim.isHeld).toBe(true);

  freeze(1);
  freeze(2);
  await until('the claim is lost', () => claim.signal.aborted);
  expect(claim.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
  expect(await queue.exists(keys.key('record', lock.holder))).toBe(1);
  await claim.release();
});

test('a growth counts once the lock servers agree', async () => {
  const [one, other] = [newLocker(), newLocker()];
  const lock = await held(one, { write: ['a'] });
  const sentAt = await renewed(one, lock);
  const claim = new Claim({ locker: one, lock, timings: timings(TTL_MS), sentAt, clock: processClock });
  // The claim of a holder that the queue has forgotten, kept up on the servers alone.
  const stale = await held(other, { write: ['b'] });
  await queue.del(keys.key('record', stale.holder));
  await queue.hdel(keys.all('held'), 'repo#path:b');
  const holding = await queue.zrange(keys.all('holding'), '0', '-1');
  await queue.zrem(keys.all('holding'), ...holding.filter((entry) => entry.includes(stale.holder)));
  const keepUp = setInterval(() => void other.renew(stale), TTL_MS / 6);
  try {
    const request = {
      nodes: claimSet({ repoKey: 'repo', write: ['a', 'b'], read: [] }),
      mayWait: true,
      isLanding: false,
    };
    expect(await claim.grow(request)).toMatchObject({ kind: 'waiting', obstacle: 'lock servers' });
    let renewals = 0;
    claim.onRenewed = () => (renewals += 1);
    await until('what it has goes on being renewed', () => renewals > 0);
    clearInterval(keepUp);
    await other.release(stale);
    await until('the growth is confirmed', async () => (await claim.grow(request)).kind === 'grown');
    await queue.flushall();
    await refused(other, { write: ['b'] }, /somebody else’s claim/);
  } finally {
    clearInterval(keepUp);
    await claim.release();
  }
});

test('doctor names the servers that do not answer, one that votes twice, and whether there is a quorum', async () => {
  const [a = '', b = ''] = servers.map(({ url }) => url);
  const dead = `redis://u:hunter2@127.0.0.1:${await probePort(0)}`;
  const isOk = async (...urls: string[]) => (await lockServerFindings(urls)).map(({ name, ok }) => [name, ok]);
  const [one, two] = [true, true].map((ok) => ['lock-server', ok]);
  expect(await isOk()).toEqual([]);
  expect(await isOk(a, b, dead)).toEqual([one, two, ['lock-server', false], ['lock-quorum', true]]);
  expect(await isOk(a, a.replace('127.0.0.1', 'localhost'), b)).toContainEqual(['lock-quorum', false]);
  expect(await isOk(a, dead)).toContainEqual(['lock-quorum', false]);
  expect(JSON.stringify(await lockServerFindings([dead]))).not.toContain('hunter2');
});

test('an even number of servers votes together with the queue’s Redis', () => {
  const vote = (...lockRedisUrls: string[]) => votingServers({ redisUrl: 'redis://q', lockRedisUrls });
  expect(vote()).toEqual([]);
  expect(vote('redis://a')).toEqual(['redis://a']);
  expect(vote('redis://a', 'redis://b')).toEqual(['redis://q', 'redis://a', 'redis://b']);
  expect(vote('redis://q', 'redis://a')).toEqual(['redis://q', 'redis://a']);
  expect(vote('redis://a', 'redis://b', 'redis://c')).toHaveLength(3);
});
