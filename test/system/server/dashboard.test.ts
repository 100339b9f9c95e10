/** The dashboard as a process of its own, beside workers whose disks it cannot see. */

import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { queueKeys } from '../../../src/redis/keys.ts';
import { CliWorld, type Running } from '../../support/cli.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { until } from '../../support/system/until.ts';

interface Ready {
  readonly ready: boolean;
  readonly url: string;
  readonly port: number;
}

async function ready(running: Running): Promise<Ready> {
  await until('it answers', () => {
    if (!running.isAlive) throw new Error(`it ended: ${running.stdout}${running.stderr}`);
    return running.stdout.includes('\n');
  });
  return JSON.parse(running.stdout) as Ready;
}

/** Makes what a task says of its worker's folder wrong, as it is on a machine that does not have it. */
async function hideFolder(world: CliWorld, id: string): Promise<void> {
  const redis = new Redis(testRedisUrl());
  await redis.hset(queueKeys(world.queue).key('task', id), 'workspace', '/nowhere/runs/r-0/workspace');
  redis.disconnect();
}

test('logs and artifacts come through a worker when their folder is elsewhere, to the page and the command line', async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  const worker = await world.worker();
  // More than one part, with characters of more than one byte where parts are cut.
  const run = `seq 1 60000 | sed 's/$/ äöü/'; echo made > made.txt`;
  const id = await world.submit('--repo', dir, '--run', run, '--title', 'far away');
  const task = (await world.reached(id, 'succeeded')) as { artifacts: { kind: string; bytes: number }[] };
  await hideFolder(world, id);
  const env = { ...world.env, SIGNALBOX_DATA: join(world.dir, 'elsewhere') };
  const { url } = await ready(world.start(['dashboard', '--port', '0', '--json'], { env }));
  const whole = readFileSync(join(world.dataDir, 'artifacts', id, 'run-1', 'log.txt'), 'utf8');
  expect(whole.length).toBeGreaterThan(512 * 1024);

  const log = await fetch(`${url}/api/v1/tasks/${id}/logs`);
  expect(log.headers.get('signalbox-complete')).toBe('true');
  expect(await log.text()).toBe(whole);
  const followed = await (await fetch(`${url}/api/v1/tasks/${id}/logs?follow=true`)).text();
  const texts = [...followed.matchAll(/event: log\ndata: (.*)\n\n/g)].map(
    ([, data = '']) => (JSON.parse(data) as { text: string }).text,
  );
  expect(texts.join('')).toBe(whole);
  expect(followed).toContain('event: end\ndata: {"state":"succeeded","code":null}');
  expect(await (await fetch(`${url}/api/v1/tasks/${id}/diff`)).text()).toContain('+made');
  for (const [i, { bytes }] of task.artifacts.entries()) {
    const got = await fetch(`${url}/api/v1/tasks/${id}/artifacts/${i}`);
    expect(got.headers.get('content-disposition')).toMatch(/^attachment; filename="t[\w.-]+"$/);
    expect((await got.arrayBuffer()).byteLength).toBe(bytes);
  }
  const printed = await world.run(['logs', id], { env });
  expect(printed.stdout).toBe(whole);
  expect(printed.stderr).toContain('through its worker');

  // With the worker gone, the end of the log is what there is.
  await worker.stop();
  const tail = await fetch(`${url}/api/v1/tasks/${id}/logs`);
  expect([tail.status, tail.headers.get('signalbox-complete')]).toEqual([200, 'false']);
  expect(await tail.text()).toContain('60000 äöü');
  const diff = await fetch(`${url}/api/v1/tasks/${id}/diff`);
  expect([diff.status, await diff.json()]).toMatchObject([503, { code: 'OUT_OF_REACH' }]);
});

test('a worker reads to others only what it keeps of tasks', async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  await world.worker();
  const id = await world.submit('--repo', dir, '--run', 'echo out; echo x > x');
  const { host } = (await world.reached(id, 'succeeded')) as { host: string };
  const redis = new Redis(testRedisUrl());
  const keys = queueKeys(world.queue);
  world.file('data/secret.txt', 'secret');
  const outside = join(world.dataDir, 'artifacts', id, 'planted');
  symlinkSync(join(world.dataDir, 'secret.txt'), outside);
  const ask = async (taskId: string, path: string): Promise<Record<string, string>> => {
    const question = { id: crypto.randomUUID(), host, taskId, path, offset: 0, length: 1_000 };
    await redis.publish(keys.channel('control'), JSON.stringify({ file: question }));
    return await until(`it answers about ${path}`, async () => {
      const answer = await redis.hgetall(keys.key('file', question.id));
      return 'bytes' in answer || Object.keys(answer).some((field) => field.startsWith('without:'))
        ? answer
        : undefined;
    });
  };
  try {
    expect(await ask(id, `artifacts/${id}/run-1/log.txt`)).toMatchObject({ bytes: 'out\n', size: '4' });
    const refused = ['../secret.txt', 'secret.txt', `artifacts/${id}/../../secret.txt`, `artifacts/${id}/planted`];
    refused.push(`artifacts/${id}`, `artifacts/${id}/run-1`, `/etc/hostname`, `artifacts/${id}/run-1//log.txt`);
    for (const path of refused)
      expect(Object.keys(await ask(id, path)), path).toEqual([expect.stringMatching(/^without:/)]);
  } finally {
    redis.disconnect();
  }
});

test('up serves the dashboard on the port that it was given, and says which', async () => {
  await using world = new CliWorld();
  for (const name of ['REDIS_URL', 'SIGNALBOX_DATA', 'SIGNALBOX_QUEUE']) delete world.env[name];
  const up = world.start(['up', '--json', '--port', '0']);
  const { port } = await ready(up);
  expect(port).toBeGreaterThan(0);
  expect(JSON.parse(readFileSync(join(world.dir, '.signalbox/up.json'), 'utf8'))).toMatchObject({ port });
  const status = (await (await fetch(`http://127.0.0.1:${port}/api/v1/status`)).json()) as { workers: unknown[] };
  expect(status.workers).toHaveLength(1);
  expect(await (await fetch(`http://127.0.0.1:${port}/readyz`)).json()).toMatchObject({ ready: true });
  const taken = await world.run(['dashboard', '--port', String(port), '--json']);
  expect([taken.code, taken.json]).toMatchObject([1, { error: { code: 'STATE' } }]);
  const { code } = await up.stop();
  expect(code).toBe(0);
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});
