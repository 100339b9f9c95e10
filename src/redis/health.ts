/** What Redis must be like to keep a queue: read from it, judged here. */

import type { Redis } from 'ioredis';
import { type Connection, serversOf } from './connect.ts';
import { infoField } from './readiness.ts';

/** The oldest Redis with the commands in use. */
const LEAST_VERSION = [6, 2];

/** From this share of its memory on it is time to do something. */
const NEARLY_FULL = 0.8;

/** A finding. `error`: the promises do not hold; `warn`: they hold in part. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly level: 'error' | 'warn' | 'info';
  readonly message: string;
  /** What to do; empty when nothing is. */
  readonly next: string;
}

/** Reads and judges; of each check, the first server that does not pass it. `leaseTtlMs` bounds how far the clocks may differ. */
export async function redisFindings(redis: Connection, leaseTtlMs: number): Promise<Finding[]> {
  const servers = await Promise.all(serversOf(redis).map(async (server) => await serverFindings(server, leaseTtlMs)));
  const [first = [], ...others] = servers;
  return first.map(
    (finding, i) => [finding, ...others.flatMap((other) => other[i] ?? [])].find(({ ok }) => !ok) ?? finding,
  );
}

async function serverFindings(redis: Redis, leaseTtlMs: number): Promise<Finding[]> {
  const sentAt = Date.now();
  const [seconds, micros] = await redis.time();
  const roundTripMs = Date.now() - sentAt;
  const aheadMs = Number(seconds) * 1000 + Number(micros) / 1000 - (sentAt + roundTripMs / 2);
  return [...judgeInfo(await redis.info()), clock(aheadMs, roundTripMs, leaseTtlMs)];
}

/** Judges what Redis' `INFO` says. */
export function judgeInfo(info: string): Finding[] {
  return [
    version(infoField(info, 'redis_version')),
    persistence(infoField(info, 'aof_enabled') === '1'),
    eviction(infoField(info, 'maxmemory_policy')),
    memory(Number(infoField(info, 'used_memory')), Number(infoField(info, 'maxmemory'))),
  ];
}

function version(given: string): Finding {
  const [major = 0, minor = 0] = given.split('.').map(Number);
  const ok = major > (LEAST_VERSION[0] ?? 0) || (major === LEAST_VERSION[0] && minor >= (LEAST_VERSION[1] ?? 0));
  const message = `Redis ${given}${ok ? '' : ` is older than ${LEAST_VERSION.join('.')}`}`;
  return { name: 'redis-version', ok, level: 'error', message, next: ok ? '' : 'Install a newer Redis.' };
}

function persistence(ok: boolean): Finding {
  return {
    name: 'redis-persistence',
    ok,
    level: 'warn',
    message: ok ? 'the append-only file is on' : 'the append-only file is off: a crash of Redis loses accepted tasks',
    next: ok ? '' : 'Set `appendonly yes` in its configuration.',
  };
}

function eviction(policy: string): Finding {
  const ok = policy === 'noeviction';
  return {
    name: 'redis-eviction',
    ok,
    level: 'error',
    message: ok
      ? 'the eviction policy is noeviction'
      : `the eviction policy is ${policy}: a full Redis would drop claims`,
    next: ok ? '' : 'Set `maxmemory-policy noeviction` in its configuration.',
  };
}

function memory(used: number, most: number): Finding {
  const share = most === 0 ? 0 : used / most;
  const ok = share < NEARLY_FULL;
  return {
    name: 'redis-memory',
    ok,
    level: 'warn',
    message: most === 0 ? 'its memory has no limit of its own' : `${Math.round(share * 100)} % of its memory is used`,
    next: ok ? '' : 'Raise `maxmemory`, or keep fewer finished tasks (`historyLimit`): a full Redis takes no tasks.',
  };
}

function clock(aheadMs: number, roundTripMs: number, leaseTtlMs: number): Finding {
  const ok = Math.abs(aheadMs) <= roundTripMs / 2 + leaseTtlMs / 2;
  const difference = `${Math.round(Math.abs(aheadMs))} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine’s`;
  return {
    name: 'redis-clock',
    ok,
    level: 'warn',
    message: `the clock of Redis is ${difference}; an answer takes ${roundTripMs} ms`,
    next: ok ? '' : 'Keep the clocks of both machines by NTP: times in histories are wrong until then.',
  };
}
