/** Claims that are taken bit by bit: more at once or refused, never waited for while something is held. */

import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClaimSession } from '../../../src/client/session.ts';
import { Signalbox } from '../../../src/client/signalbox.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

const repo = 'https://git.example.com/acme/app';
let one: Signalbox;
let other: Signalbox;
let redis: Redis;
let mine: ClaimSession;
let theirs: ClaimSession;

beforeEach(async () => {
  const options = { redisUrl: testRedisUrl(), queue: freshQueueName(), leaseTtl: '2s' };
  one = await Signalbox.connect(options);
  other = await Signalbox.connect(options);
  redis = new Redis(testRedisUrl());
  mine = one.session('agent a');
  theirs = other.session();
});
afterEach(async () => {
  await Promise.all([mine.release(), theirs.release()]);
  await Promise.all([one.close(), other.close(), redis.quit()]);
});

const leftKeys = async (): Promise<string[]> =>
  (await redis.keys(`${one.queue.keys.prefix}*`)).filter((key) => !/:(meta|tending|tasks:.*)$/.test(key));

const paths = (held: readonly { resource: string; mode: string }[]): string[] =>
  held.map(({ resource, mode }) => `${resource} ${mode}`).sort();

describe('a session', () => {
  test('holds what it claimed, lists who it is, and gives all of it back together', async () => {
    const first = await mine.claim({ repo, write: ['src/a.ts'] });
    const second = await mine.claim({ repo, read: ['docs/**'] });
    expect(second.holder).toBe(first.holder);
    expect(paths(second.held)).toEqual(['path:docs read', 'path:src/a.ts write']);
    const { held } = await other.claims();
    expect(paths(held)).toEqual(['path:docs read', 'path:src/a.ts write']);
    expect(held[0]?.workerId).toMatch(/:\d+ agent a$/);
    expect(paths(await mine.release())).toEqual(['path:docs read', 'path:src/a.ts write']);
    expect(await leftKeys()).toEqual([]);
  });

  test('is refused more that others hold, at once, by whom and since when, and keeps what it has', async () => {
    await theirs.claim({ repo, write: ['src/auth/**'] });
    const [held] = (await one.claims()).held;
    await mine.claim({ repo, write: ['README.md'] });
    const refused = mine.claim({ repo, write: ['docs/x.md', 'src/auth/login.ts'] }, { waitMs: 60_000 });
    await expect(refused).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `path:src/auth is held by ${held?.runnerId} (${held?.workerId}) since ${held?.since}.`,
      details: { resource: 'path:src/auth', since: held?.since },
    });
    expect(paths(mine.held)).toEqual(['path:README.md write']);
    expect(paths((await one.claims()).held)).toEqual(['path:README.md write', 'path:src/auth write']);
  });

  test('gets a read that it has turned into a write, unless somebody reads along', async () => {
    await mine.claim({ repo, read: ['a'] });
    await theirs.claim({ repo, read: ['a'] });
    await expect(mine.claim({ repo, write: ['a'] })).rejects.toMatchObject({ code: 'CONFLICT' });
    await theirs.release();
    expect(paths((await mine.claim({ repo, write: ['a'] })).held)).toEqual(['path:a write']);
    await expect(theirs.claim({ repo, read: ['a'] })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('holds in several repositories at once', async () => {
    await mine.claim({ repo, write: ['a'] });
    await mine.claim({ repo: 'https://git.example.com/acme/other', write: ['a'] });
    const { held } = await one.claims();
    expect(held.map((claim) => claim.repo).sort()).toEqual(['git.example.com/acme/app', 'git.example.com/acme/other']);
    expect(new Set(held.map(({ runnerId }) => runnerId)).size).toBe(1);
  });

  test('waits for its first claim as long as it is told to', async () => {
    await theirs.claim({ repo, write: ['a'] });
    await expect(mine.claim({ repo, write: ['a'] }, { waitMs: 200 })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('did not come free in time') as string,
    });
    const waiting = mine.claim({ repo, write: ['a'] }, { waitMs: 60_000 });
    await expect.poll(async () => (await one.claims()).waiting.length).toBe(1);
    await theirs.release();
    expect(paths((await waiting).held)).toEqual(['path:a write']);
  });

  test('cannot add a counted thing to what it holds', async () => {
    await one.setLimit('resource:db', 1);
    await mine.claim({ repo, write: ['a'] });
    await expect(mine.claim({ repo, resources: ['db'] })).rejects.toMatchObject({
      code: 'INVALID',
      field: 'resources',
    });
    await mine.release();
    const { held, slots } = await mine.claim({ repo, write: ['a'], resources: ['db'] });
    expect(paths(held)).toEqual(['path:a write', 'resource:db slot']);
    expect(slots).toEqual({ db: 1 });
    expect(paths((await mine.claim({ repo, write: ['b'], resources: ['db'] })).held)).toContain('path:b write');
  });

  test('that lost its lease claims all of it again, and says so', async () => {
    const { holder } = await mine.claim({ repo, write: ['a'] });
    expect(await redis.del(one.queue.keys.key('lease', holder))).toBe(1);
    await expect.poll(() => mine.held).toEqual([]);
    const again = await mine.claim({ repo, write: ['b'] }, { waitMs: 20_000 });
    expect(again).toMatchObject({ wasLost: true });
    expect(paths(again.held)).toEqual(['path:a write', 'path:b write']);
    expect((await mine.claim({ repo, write: ['c'] })).wasLost).toBe(false);
  });

  test('refuses what cannot be claimed by its field', async () => {
    await expect(mine.claim({ repo, write: ['../x'] })).rejects.toMatchObject({ code: 'INVALID', field: 'write[0]' });
    expect(await leftKeys()).toEqual([]);
  });
});
