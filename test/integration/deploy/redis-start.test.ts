/** The script that starts Redis in containers, with the Redis of this machine. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOOPBACK, probePort } from '../../../src/redis/free-port.ts';
import { redisFindings } from '../../../src/redis/health.ts';
import { queueKeys } from '../../../src/redis/keys.ts';
import { ROOT } from '../../support/documents.ts';
import { until } from '../../support/system/until.ts';

const SCRIPT = join(ROOT, 'deploy/redis/start.sh');
const PASSWORDS = { worker: 'w0rker', producer: 'pr0ducer' };
const KEY = queueKeys('default').all('tasks');

let dir: string;
let port: number;
let server: ChildProcess;
const clients: Redis[] = [];

async function start(): Promise<void> {
  server = spawn('sh', [SCRIPT, '--port', `${port}`, '--bind', LOOPBACK], {
    env: {
      PATH: process.env['PATH'],
      REDIS_DIR: dir,
      REDIS_USERS_FILE: join(dir, 'users.acl'),
      REDIS_WORKER_PASSWORD: PASSWORDS.worker,
      REDIS_PRODUCER_PASSWORD: PASSWORDS.producer,
      REDIS_READER_PASSWORD: '',
    },
    stdio: 'ignore',
  });
  await until(
    'it answers',
    async () =>
      (await as('worker')
        .ping()
        .catch(() => '')) === 'PONG',
  );
}

async function stop(signal: NodeJS.Signals): Promise<void> {
  const ended = once(server, 'exit').catch(() => {});
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill(signal);
  await ended;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-start-'));
  port = await probePort(0);
  await start();
});
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await stop('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

function as(username: keyof typeof PASSWORDS | 'default', password?: string): Redis {
  const login = username === 'default' ? {} : { username, password: password ?? PASSWORDS[username] };
  const client = new Redis({ host: LOOPBACK, port, ...login, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  clients.push(client);
  return client;
}

test('it keeps its data and evicts nothing', async () => {
  const findings = await redisFindings(as('worker'), 10_000);
  expect(findings.filter(({ ok, name }) => !ok && /persistence|eviction/.test(name))).toEqual([]);
  expect(findings.map(({ name }) => name)).toEqual(expect.arrayContaining(['redis-persistence', 'redis-eviction']));
});

test('only the users that have a password are there, and each may do what its role may', async () => {
  await expect(as('default').ping()).rejects.toThrow(/NOAUTH/);
  await expect(as('worker', 'guessed').ping()).rejects.toThrow();
  await expect(as('worker').set(KEY, '1')).resolves.toBe('OK');
  await expect(as('worker').set('other', '1')).rejects.toThrow(/NOPERM/);
  await expect(as('producer').get(KEY)).resolves.toBe('1');
  await expect(as('worker').call('CONFIG', 'GET', 'dir')).rejects.toThrow(/NOPERM/);
  expect(readFileSync(join(dir, 'users.acl'), 'utf8')).not.toMatch(/reader|w0rker|pr0ducer/);
});

test('what scripts and transactions have written is there after a restart', async () => {
  const writes = "redis.call('set', KEYS[1], '1') redis.call('set', KEYS[2], '1')";
  const key = (name: string): string => `${KEY}-${name}`;
  await as('worker').eval(writes, 2, key('a'), key('b'));
  await as('worker').multi().set(key('c'), '1').set(key('d'), '1').exec();
  await stop('SIGTERM');
  await start();
  expect(await as('worker').mget(['a', 'b', 'c', 'd'].map(key))).toEqual(['1', '1', '1', '1']);
});

test('without a password for workers it does not start, and says what is missing', async () => {
  const env = { PATH: process.env['PATH'], REDIS_USERS_FILE: join(dir, 'none.acl') };
  const failed = promisify(execFile)('sh', [SCRIPT], { env });
  await expect(failed).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/REDIS_WORKER_PASSWORD is not set/) as string,
  });
});
