/** What workers take off their disk by themselves, with a real queue. */

import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ulid } from 'ulid';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Signalbox } from '../../../src/index.ts';
import { TaskQueue } from '../../../src/queue/task-queue.ts';
import { findOldFiles } from '../../../src/runner/leftovers.ts';
import { removeOld } from '../../../src/runner/sweep.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

async function room() {
  const dataDir = mkdtempSync(join(tmpdir(), 'signalbox-leftovers-'));
  const signalbox = await Signalbox.connect({ redisUrl: testRedisUrl(), queue: freshQueueName(), dataDir });
  onTestFinished(async () => {
    await signalbox.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const submit = async (): Promise<string> => {
    const task = {
      repo: 'https://git.example.com/acme/app',
      title: 'x',
      claims: { write: ['a'] },
      implement: ['true'],
    };
    const [accepted] = await signalbox.submit(task);
    if (accepted === undefined) throw new Error('not accepted');
    mkdirSync(join(dataDir, 'artifacts', accepted.id, 'run-1'), { recursive: true });
    writeFileSync(join(dataDir, 'artifacts', accepted.id, 'run-1/log.txt'), 'said');
    return accepted.id;
  };
  return { dataDir, signalbox, submit, artifactsOf: (id: string) => join(dataDir, 'artifacts', id) };
}

test('artifacts stay while their task may run, and until it has ended for long enough', async () => {
  const { dataDir, signalbox, submit, artifactsOf } = await room();
  const [open, ended] = [await submit(), await submit()];
  await signalbox.cancel(ended);
  const later = new Date(Date.now() + 3_600_000);
  const before = new Date(Date.now() - 3_600_000);
  expect(await findOldFiles(dataDir, signalbox.queue, before)).toEqual([]);
  expect(await findOldFiles(dataDir, signalbox.queue, later)).toEqual([
    { kind: 'artifacts', path: artifactsOf(ended) },
  ]);
  // Negative: as if the time had passed.
  await removeOld({ config: { ...signalbox.config, diskRetentionMs: -3_600_000 }, queue: signalbox.queue });
  expect([open, ended].map((id) => existsSync(artifactsOf(id)))).toEqual([true, false]);
});

test('artifacts stay when their records cannot be read', async () => {
  const { dataDir, signalbox, submit } = await room();
  await submit();
  const { redis, keys } = signalbox.queue;
  const user = `reader-${ulid().toLowerCase()}`;
  // Somebody who may read what the queue says of itself, and no task.
  await redis.call('ACL', 'SETUSER', user, 'on', '>secret', `~${keys.all('meta')}`, '+@all');
  const url = new URL(testRedisUrl());
  const reader = new Redis({ host: url.hostname, port: Number(url.port), username: user, password: 'secret' });
  onTestFinished(async () => {
    reader.disconnect();
    await redis.call('ACL', 'DELUSER', user).catch(() => {});
  });
  const queue = new TaskQueue(reader, signalbox.config);
  await expect(findOldFiles(dataDir, queue, new Date())).rejects.toThrow('NOPERM');
});

test('what Redis does not know of stays, and a mirror goes that nobody has used for long', async () => {
  const { dataDir, signalbox, submit, artifactsOf } = await room();
  const lost = artifactsOf((await submit()).replace(/^t\w+-/, 'tother-'));
  const mirrors = ['old.git', 'new.git'].map((name) => join(dataDir, 'mirrors', name));
  for (const dir of [lost, ...mirrors, ...mirrors.map((mirror) => `${mirror}.lock`)])
    mkdirSync(dir, { recursive: true });
  const longAgo = new Date(Date.now() - 366 * 86_400_000);
  utimesSync(`${mirrors[0]}.lock`, longAgo, longAgo);
  await removeOld({ config: signalbox.config, queue: signalbox.queue });
  expect([lost, ...mirrors].map((dir) => existsSync(dir))).toEqual([true, false, true]);
});

test('a spare workspace and a cut off clone go once nobody can be at work on them any more', async () => {
  const { dataDir, signalbox } = await room();
  const paths = ['mirrors/x.git.draft-1', 'spares/1'].map((name) => join(dataDir, name));
  for (const path of paths) mkdirSync(path, { recursive: true });
  const found = async (afterMs: number) => {
    const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + afterMs);
    return await findOldFiles(dataDir, signalbox.queue, new Date(0)).finally(() => clock.mockRestore());
  };
  expect(await found(7_000_000)).toEqual([]);
  expect(await found(7_300_000)).toEqual([
    { kind: 'draft', path: paths[0] },
    { kind: 'spare', path: paths[1] },
  ]);
});
