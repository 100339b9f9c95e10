/** The life of a session's holder, in this process. */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderMark } from '../../../src/client/session-holder/folder.ts';
import { holdForSession } from '../../../src/client/session-holder/program.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

test('a holder that ends by itself leaves no folder, for which the next call would wait', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-holder-'));
  const folder = join(dir, 'checkout');
  await mkdir(folder);
  const flags = { redisUrl: testRedisUrl(), queue: freshQueueName() };
  const order = { folder, checkout: dir, label: 'session s1', agent: undefined, idleMs: 100, flags };
  let wasThere: string | undefined;
  await holdForSession(order, () => {
    void folderMark(folder).then((mark) => {
      wasThere = mark;
    });
  });
  expect(wasThere).toBeDefined();
  expect(await folderMark(folder)).toBeUndefined();
  await rm(dir, { recursive: true, force: true });
});
