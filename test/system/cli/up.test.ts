import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { CliWorld, type Running } from '../../support/cli.ts';
import { processesOf } from '../../support/system/processes.ts';
import { until } from '../../support/system/until.ts';

/** A world in which no Redis is configured: `up` brings its own. */
function bareWorld(): CliWorld {
  const world = new CliWorld();
  for (const name of ['REDIS_URL', 'SIGNALBOX_DATA', 'SIGNALBOX_QUEUE']) delete world.env[name];
  return world;
}

async function ready(up: Running): Promise<{ ready: boolean; redisUrl: string; port: number | null }> {
  await until('up is ready', () => {
    if (!up.isAlive) throw new Error(`up ended: ${up.stdout}${up.stderr}`);
    return up.stdout.includes('\n');
  });
  return JSON.parse(up.stdout) as { ready: boolean; redisUrl: string; port: number | null };
}

/** All living processes whose command line or working folder names this world. */
function processesIn(world: CliWorld): string[] {
  const table = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' });
  return table
    .split('\n')
    .filter((line) => line.includes(world.dir) || workerPids(world).some((pid) => line.trim().startsWith(`${pid} `)));
}

const known = new WeakMap<CliWorld, number[]>();
function workerPids(world: CliWorld): number[] {
  return known.get(world) ?? [];
}

async function noteWorkers(world: CliWorld): Promise<number[]> {
  const { workers } = (await world.json('status')) as { workers: { pid: number }[] };
  const pids = workers.map(({ pid }) => pid);
  known.set(world, [...workerPids(world), ...pids]);
  return pids;
}

test('up takes tasks, other commands find it, and SIGTERM leaves nothing behind but its data', async () => {
  await using world = bareWorld();
  const { dir } = world.remote();
  const up = world.start(['up', '--json', '--workers', '2', '--concurrency', '3']);
  const line = await ready(up);
  expect(line).toEqual({
    ready: true,
    redisUrl: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+$/) as string,
    port: expect.any(Number) as number,
  });
  expect(readFileSync(join(world.dir, '.signalbox/.gitignore'), 'utf8')).toBe('*\n');
  expect(JSON.parse(readFileSync(join(world.dir, '.signalbox/up.json'), 'utf8'))).toEqual({
    redisUrl: line.redisUrl,
    port: line.port,
    pid: up.pid,
    dataDir: join(world.dir, '.signalbox'),
  });
  await noteWorkers(world);
  expect(await world.json('status')).toMatchObject({ workers: [{ concurrency: 3 }, { concurrency: 3 }] });

  const second = await world.run(['up', '--json']);
  expect(second.code).toBe(1);
  expect(second.json.error).toMatchObject({
    code: 'STATE',
    message: expect.stringContaining(String(up.pid)) as string,
  });

  const flags = ['--repo', dir, '--run', 'date > a.txt', '--write', 'a.txt'];
  expect((await world.run(['submit', ...flags, '--wait'])).code).toBe(0);
  const held = await world.submit('--repo', dir, '--run', 'sleep 1000');
  await until('a step runs', () => processesOf([held]).length > 0);

  up.child.kill('SIGTERM');
  const { code, stdout } = await up.stop('SIGTERM');
  expect({ code, lines: stdout.trim().split('\n').length }).toEqual({ code: 0, lines: 1 });
  expect(processesOf([held])).toEqual([]);
  expect(processesIn(world)).toEqual([]);
  expect(existsSync(join(world.dir, '.signalbox/up.json'))).toBe(false);

  const again = world.start(['up', '--json']);
  await ready(again);
  expect((await world.json('list')).tasks).toHaveLength(2);
  await world.reached(held, 'running');
  await world.run(['cancel', held, '--wait']);
  expect((await again.stop()).code).toBe(0);
});

test('a worker that dies is started again', async () => {
  await using world = bareWorld();
  const up = world.start(['up', '--json']);
  await ready(up);
  const [pid] = await noteWorkers(world);
  process.kill(pid!, 'SIGKILL');
  await until('there is another', async () => {
    const { workers } = (await world.json('status')) as { workers: { pid: number }[] };
    return workers.some((worker) => worker.pid !== pid);
  });
  expect(up.stderr).toContain('worker-1 was killed by SIGKILL; it is started again');
  await noteWorkers(world);
  await up.stop();
  expect(processesIn(world)).toEqual([]);
});

test('a private Redis that dies is started again with its data, and the workers go on by themselves', async () => {
  await using world = bareWorld();
  const { dir } = world.remote();
  const up = world.start(['up', '--json']);
  const line = await ready(up);
  const before = await world.submit('--repo', dir, '--run', 'echo before > a.txt');
  await world.reached(before, 'succeeded');
  const redis = new Redis(line.redisUrl);
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
  redis.disconnect();
  process.kill(Number(pid), 'SIGKILL');
  await until('Redis is there again', () => up.stderr.includes('it is started again with its data'));
  await until('its data are there', async () => (await world.run(['show', before, '--json'])).code === 0);
  const after = await world.submit('--repo', dir, '--run', 'echo after > b.txt');
  await world.reached(after, 'succeeded');
  expect((await up.stop()).code).toBe(0);
  expect(processesIn(world)).toEqual([]);
});

test('kill -9 of up ends its workers, their steps and its Redis; the next one replaces it', async () => {
  await using world = bareWorld();
  const { dir } = world.remote();
  const up = world.start(['up', '--json']);
  await ready(up);
  await noteWorkers(world);
  const held = await world.submit('--repo', dir, '--run', 'sleep 1000', '--publish', 'none');
  await until('a step runs', () => processesOf([held]).length > 0);
  await up.stop('SIGKILL');
  await until('all of it has ended', () => processesIn(world).length === 0 && processesOf([held]).length === 0);
  const { code, json } = await world.run(['list', '--json']);
  expect({ code, error: json.error.code }).toEqual({ code: 5, error: 'REDIS_UNREACHABLE' });
  expect(json.error.message).toContain(`process ${up.pid}`);
  const next = world.start(['up', '--json']);
  await ready(next);
  expect((await world.json('list')).tasks).toMatchObject([{ id: held }]);
  await world.run(['cancel', held, '--wait']);
  await next.stop();
});

test('an up that fails half-way stops what it had started and says why', async () => {
  await using world = bareWorld();
  // Where the folder for the logs should be; Redis runs by then.
  world.file('.signalbox/logs', '');
  const up = await world.run(['up', '--json']);
  expect({ code: up.code, error: up.json.error.code }).toEqual({ code: 1, error: 'INTERNAL' });
  expect(existsSync(join(world.dir, '.signalbox/redis/redis.log'))).toBe(true);
  expect(processesIn(world)).toEqual([]);
  expect(existsSync(join(world.dir, '.signalbox/up.json'))).toBe(false);
});

test('up with --data keeps all of it there, and commands in the folder find it with and without', async () => {
  await using world = bareWorld();
  const up = world.start(['up', '--json', '--data', 'elsewhere']);
  await ready(up);
  expect(existsSync(join(world.dir, 'elsewhere/up.json'))).toBe(true);
  expect((await world.json('status', '--data', 'elsewhere')).workers).toHaveLength(1);
  expect((await world.json('status')).workers).toHaveLength(1);
  await up.stop();
});
