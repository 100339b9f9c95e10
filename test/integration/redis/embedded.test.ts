import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { isPortFree } from '../../../src/redis/free-port.ts';
import { testRedisUrl } from '../../support/redis.ts';

const EMBEDDED = new URL('../../../src/redis/embedded.ts', import.meta.url).href;

/** The server that is installed here; without one the run's Redis comes from elsewhere. */
const SERVER = spawnSync('sh', ['-c', 'command -v redis-server || command -v valkey-server'], {
  encoding: 'utf8',
}).stdout.trim();

let dir: string;
const started: EmbeddedRedis[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'signalbox-embedded-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()));
  await rm(dir, { recursive: true, force: true });
});

async function start(options: { port?: number; aof?: boolean } = {}): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis({ dir, aof: true, ...options });
  started.push(redis);
  return redis;
}

async function ask<T>(url: string, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(SERVER === '')('the embedded Redis', () => {
  it('listens on the loopback interface only, keeps an append-only file and never evicts', async () => {
    const redis = await start();
    const config = await ask(redis.url, async (client) => [
      await client.config('GET', 'bind'),
      await client.config('GET', 'appendonly'),
      await client.config('GET', 'appendfsync'),
      await client.config('GET', 'maxmemory-policy'),
      await client.config('GET', 'dir'),
    ]);
    expect(config).toEqual([
      ['bind', '127.0.0.1'],
      ['appendonly', 'yes'],
      ['appendfsync', 'everysec'],
      ['maxmemory-policy', 'noeviction'],
      ['dir', dir],
    ]);
  });

  it('is gone once it was stopped, however often that is asked', async () => {
    const redis = await start();
    expect(isAlive(redis.pid)).toBe(true);
    await Promise.all([redis.stop(), redis.stop()]);
    await redis.stop();
    expect(isAlive(redis.pid)).toBe(false);
  });

  it('finds its data again in the same folder', async () => {
    const first = await start();
    await ask(first.url, (client) => client.set('kept', 'yes'));
    await first.stop();
    const second = await start();
    expect(await ask(second.url, (client) => client.get('kept'))).toBe('yes');
  });

  it('says so when its port is taken, and leaves nothing behind', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({
      code: 'REDIS_UNREACHABLE',
      message: expect.stringContaining(String(port)),
      next: expect.stringContaining('another port'),
    });
    taken.close();
  });

  it('does not take a Redis that already runs on its port for itself', async () => {
    const port = Number(new URL(testRedisUrl()).port || 6379);
    await expect(start({ port })).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
  });

  it('refuses a folder that another server uses', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'STATE', message: expect.stringContaining(dir) });
  });

  it('tells what to install where there is neither a server nor Docker', async () => {
    const script = `
      import { startEmbeddedRedis } from ${JSON.stringify(EMBEDDED)};
      const error = await startEmbeddedRedis({ dir: ${JSON.stringify(dir)}, aof: true }).catch((e) => e);
      console.log(JSON.stringify(error));`;
    const child = runScript(script, { PATH: dir });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    expect(JSON.parse(line)).toMatchObject({
      code: 'REDIS_UNREACHABLE',
      next: expect.stringMatching(/apt-get install redis-server.*brew install redis.*docker run/),
    });
  });

  it('runs in Docker where there is no server, published on the loopback interface only', async () => {
    const bin = await pathWithDocker();
    const script = `
      import { Redis } from 'ioredis';
      import { startEmbeddedRedis } from ${JSON.stringify(EMBEDDED)};
      const redis = await startEmbeddedRedis({ dir: ${JSON.stringify(join(dir, 'data'))}, aof: true });
      const client = new Redis(redis.url);
      console.log(JSON.stringify([await client.config('GET', 'appendonly'), await client.config('GET', 'save')]));
      client.disconnect();
      await redis.stop();`;
    const child = runScript(script, { PATH: bin });
    const exit = once(child, 'exit');
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    expect(JSON.parse(line)).toEqual([
      ['appendonly', 'yes'],
      ['save', ''],
    ]);
    expect(await exit).toEqual([0, null]);
    const run = (await readFile(join(bin, 'docker.log'), 'utf8')).split('\n').find((call) => call.startsWith('run'));
    expect(run).toMatch(/^run --rm --name signalbox-redis-\S+ .*--publish 127\.0\.0\.1:\d+:6379 .*redis:7-bookworm/);
  });

  it('ends by itself when its parent is killed, and a new one waits for that', async () => {
    const script = `
      import { startEmbeddedRedis } from ${JSON.stringify(EMBEDDED)};
      const redis = await startEmbeddedRedis({ dir: ${JSON.stringify(dir)}, aof: true });
      console.log(redis.port);
      setInterval(() => {}, 1000);`;
    const parent = runScript(script);
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const port = Number(line);
    expect(await isPortFree(port)).toBe(false);
    parent.kill('SIGKILL');
    await start();
    await vi.waitUntil(() => isPortFree(port), { timeout: 20_000 });
  });

  it('does not keep its parent alive', async () => {
    const script = `
      import { startEmbeddedRedis } from ${JSON.stringify(EMBEDDED)};
      await startEmbeddedRedis({ dir: ${JSON.stringify(dir)}, aof: true });`;
    expect(await once(runScript(script), 'exit')).toEqual([0, null]);
  });
});

/** A PATH with no server and a stand-in for Docker, whose containers are plain processes. */
async function pathWithDocker(): Promise<string> {
  const bin = join(dir, 'bin');
  await mkdir(bin);
  for (const tool of ['sh', 'cat']) await symlink(`/bin/${tool}`, join(bin, tool));
  const docker = `#!/bin/sh
    echo "$*" >>'${bin}/docker.log'
    [ "$1" = run ] || exit 0
    while [ "$1" != redis-server ]; do
      case $1 in
        --publish) port=\${2#127.0.0.1:} ;;
        --volume) dir=\${2%:/data} ;;
      esac
      shift
    done
    shift
    exec ${SERVER} "$@" --bind 127.0.0.1 --port "\${port%:6379}" --dir "$dir"`;
  await writeFile(join(bin, 'docker'), docker, { mode: 0o755 });
  return bin;
}

function runScript(script: string, env: Record<string, string> = {}) {
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  return spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
}
