import { describe, expect, test } from 'vitest';
import { judgeInfo } from '../../../src/redis/health.ts';

const GOOD = {
  redis_version: '7.0.15',
  aof_enabled: '1',
  maxmemory_policy: 'noeviction',
  used_memory: '1000',
  maxmemory: '0',
};

/** The names and levels of what is wrong with a Redis that differs in this. */
function wrong(difference: Partial<typeof GOOD>): string[] {
  const info = Object.entries({ ...GOOD, ...difference }).map(([name, value]) => `${name}:${value}\r\n`);
  return judgeInfo(`# Server\r\n${info.join('')}`)
    .filter(({ ok }) => !ok)
    .map(({ name, level, next }) => `${level} ${name}${next === '' ? ' without advice' : ''}`);
}

describe('a Redis', () => {
  test.each([
    ['as it should be', {}, []],
    ['of the oldest version', { redis_version: '6.2.0' }, []],
    ['that is too old', { redis_version: '6.0.16' }, ['error redis-version']],
    ['that is far too old', { redis_version: '5.0.14' }, ['error redis-version']],
    ['of the next major version', { redis_version: '10.0.0' }, []],
    ['without an append-only file', { aof_enabled: '0' }, ['warn redis-persistence']],
    ['that evicts', { maxmemory_policy: 'allkeys-lru' }, ['error redis-eviction']],
    ['that evicts what has a TTL', { maxmemory_policy: 'volatile-ttl' }, ['error redis-eviction']],
    ['that is nearly full', { maxmemory: '1200' }, ['warn redis-memory']],
    ['with room', { maxmemory: '2000' }, []],
  ])('%s', (_name, difference, expected) => {
    expect(wrong(difference)).toEqual(expected);
  });
});
