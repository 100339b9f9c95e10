/** A held claim: renewed while all is well, lost by Redis's word or by its holder's own clock, never held past its TTL. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Claim, processClock } from '../../../src/claims/claim.ts';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { Locker } from '../../../src/claims/locker.ts';
import { timings } from '../../../src/config/timings.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { queueKeys } from '../../../src/redis/keys.ts';

const TTL_MS = 1_500;
const keys = queueKeys('claim-test');
let dir: string;
let server: EmbeddedRedis;
let redis: Redis;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'signalbox-claim-'));
  server = await startEmbeddedRedis({ dir, aof: false });
  redis = new Redis(server.url, { maxRetriesPerRequest: null });
});
afterEach(async () => {
  process.kill(server.pid, 'SIGCONT');
  redis.disconnect();
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

async function hold(clock = processClock): Promise<{ claim: Claim; renewed: () => number }> {
  const locker = new Locker({ redis, keys, leaseTtlMs: TTL_MS, keepAfterMs: 60_000 });
  const nodes = claimSet({ repoKey: 'repo', write: ['a'], read: [] });
  const sentAt = clock();
  const acquired = await locker.acquire({
    holder: 'h',
    kind: 'hold',
    ticket: 't',
    worker: 'w',
    rank: 1,
    class: 2,
    policy: 'fail',
    nodes,
  });
  if (acquired.kind !== 'held') throw new Error(acquired.kind);
  const claim = new Claim({ locker, lock: acquired.lock, timings: timings(TTL_MS), sentAt, clock });
  let renewals = 0;
  claim.onRenewed = () => (renewals += 1);
  return { claim, renewed: () => renewals };
}

const lost = async (claim: Claim): Promise<void> => {
  await new Promise<void>((resolve) => claim.signal.addEventListener('abort', () => resolve(), { once: true }));
};

test('is renewed for longer than its TTL, and released once', async () => {
  const { claim, renewed } = await hold();
  await expect.poll(renewed, { timeout: 3 * TTL_MS }).toBeGreaterThan(3);
  expect(claim.isHeld).toBe(true);
  expect(claim.signal.aborted).toBe(false);
  await claim.release();
  expect(await claim.release()).toEqual([]);
  expect(await redis.keys('*')).toEqual([]);
});

test('is lost by its own deadline, before the TTL is over, while Redis does not answer', async () => {
  const { claim, renewed } = await hold();
  await expect.poll(renewed).toBeGreaterThan(0);
  process.kill(server.pid, 'SIGSTOP');
  const frozenAt = performance.now();
  await lost(claim);
  // The last renewal was sent at the latest when Redis froze, so its lease lives on until a TTL after that.
  expect(performance.now() - frozenAt).toBeLessThan(TTL_MS);
  expect(claim.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
});

test('is lost as soon as Redis says that the lease is gone', async () => {
  const { claim } = await hold();
  expect(await redis.del(keys.key('lease', 'h'))).toBe(1);
  await lost(claim);
  expect(claim.isHeld).toBe(false);
});

test('is found lost by the clock alone when its process was stopped, before any timer tells', async () => {
  let suspendedMs = 0;
  const { claim } = await hold(() => processClock() + suspendedMs);
  expect(claim.isHeld).toBe(true);
  suspendedMs = TTL_MS;
  expect(claim.isHeld).toBe(false);
  expect(claim.signal.aborted).toBe(true);
});

test('is given up by itself after a suspend, in which only the boot clock went on; no renewal revives it', async () => {
  let suspendedMs = 0;
  const { claim, renewed } = await hold(() => processClock() + suspendedMs);
  await expect.poll(renewed).toBeGreaterThan(0);
  suspendedMs = TTL_MS;
  const renewals = renewed();
  // Redis would renew it: its lease has not lapsed there.
  expect(await redis.pttl(keys.key('lease', 'h'))).toBeGreaterThan(0);
  await lost(claim);
  expect(claim.signal.reason).toMatchObject({
    code: 'LEASE_LOST',
    message: expect.stringContaining('deadline passed'),
  });
  expect(renewed()).toBe(renewals);
});
