import { describe, expect, test } from 'vitest';
import { parseRedisAddress } from '../../../src/config/redis-address.ts';

describe('the address of Redis', () => {
  test('names one server as Redis itself does', () => {
    for (const url of ['redis://h', 'rediss://u:p@h:6380/2'])
      expect(parseRedisAddress(url)).toEqual({ kind: 'server', url });
  });

  test('names Sentinels and the primary that they watch', () => {
    expect(parseRedisAddress('redis+sentinel://u:p%40w@a:1,b,[::1]:3/my-master/2')).toEqual({
      kind: 'sentinel',
      endpoints: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26_379 },
        { host: '::1', port: 3 },
      ],
      name: 'my-master',
      db: 2,
      tls: false,
      username: 'u',
      password: 'p@w',
    });
  });

  test('names some nodes of a cluster', () => {
    expect(parseRedisAddress('rediss+cluster://:pw@a:1,b')).toEqual({
      kind: 'cluster',
      endpoints: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6_379 },
      ],
      tls: true,
      username: undefined,
      password: 'pw',
    });
  });

  test.each([
    'http://h',
    'redis://',
    'redis+sentinel://a:1,b:2',
    'redis+sentinel://a:1/',
    'redis+sentinel://a:1/x/y',
    'redis+sentinel://a:1,,b:2/x',
    'redis+sentinel://a:70000/x',
    'redis+cluster://a:1/2',
    'redis+cluster://',
    'redis+other://a',
    'redis+cluster://a:1,u:p@b:2',
  ])('%s is none', (text) => {
    expect(parseRedisAddress(text)).toBeUndefined();
  });
});
