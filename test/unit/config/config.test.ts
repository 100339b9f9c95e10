import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defineConfig, loadConfig } from '../../../src/config/config.ts';
import { findUp, upFileIn } from '../../../src/config/up-file.ts';
import { refusal } from '../task/support.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'signalbox-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const load = (env: Record<string, string> = {}, flags: Record<string, unknown> = {}, folder = cwd) =>
  loadConfig({ env, cwd: folder, flags });

function writeUp(
  dataDir: string,
  text = JSON.stringify({ redisUrl: 'redis://127.0.0.1:7001', port: 8080, pid: 1, dataDir: '/data' }),
): void {
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(upFileIn(dataDir), text);
}

describe('the configuration', () => {
  test('has a default for everything', () => {
    expect(load()).toMatchObject({
      redisUrl: 'redis://127.0.0.1:6379',
      redisFrom: 'default',
      queue: 'default',
      dataDir: join(cwd, '.signalbox'),
      leaseTtlMs: 10_000,
      maxParallelRunners: undefined,
      concurrency: 4,
      keepAfterMs: 60_000,
      historyLimit: 1000,
      logLimitBytes: 64 * 1024 * 1024,
      logLevel: 'info',
      token: undefined,
    });
  });

  test('is frozen', () => {
    expect(Object.isFrozen(load())).toBe(true);
    expect(Object.isFrozen(defineConfig())).toBe(true);
  });

  test('is taken from flags before the environment before the file', () => {
    writeFileSync(join(cwd, 'signalbox.yaml'), 'queue: file\nconcurrency: 2\nleaseTtl: 3s\n');
    const config = load(
      { SIGNALBOX_QUEUE: 'env', SIGNALBOX_CONCURRENCY: '3' },
      { queue: 'flag', concurrency: undefined },
    );
    expect(config).toMatchObject({ queue: 'flag', concurrency: 3, leaseTtlMs: 3000 });
  });

  test('is found in the nearest folder above, and paths in the file count from there', () => {
    writeFileSync(join(cwd, 'signalbox.yaml'), 'dataDir: data\n');
    mkdirSync(join(cwd, 'a/b'), { recursive: true });
    expect(load({}, {}, join(cwd, 'a/b')).dataDir).toBe(join(cwd, 'data'));
    expect(load({ SIGNALBOX_DATA: 'mine' }, {}, join(cwd, 'a/b')).dataDir).toBe(join(cwd, 'a/b/mine'));
  });

  test('reads durations in ms or as text, and sizes with a unit', () => {
    expect(load({ SIGNALBOX_LEASE_TTL: '2500', SIGNALBOX_LOG_LIMIT: '2MiB' })).toMatchObject({
      leaseTtlMs: 2500,
      logLimitBytes: 2 ** 21,
    });
    expect(load({ SIGNALBOX_LEASE_TTL: '2s' }).leaseTtlMs).toBe(2000);
    expect(defineConfig({ leaseTtl: 2000, keepAfter: '5m' })).toMatchObject({ leaseTtlMs: 2000, keepAfterMs: 300_000 });
  });

  test('takes an empty variable and an empty file for nothing', () => {
    writeFileSync(join(cwd, 'signalbox.yaml'), '# nothing yet\n');
    expect(load({ REDIS_URL: '', SIGNALBOX_QUEUE: '' })).toMatchObject({ queue: 'default', redisFrom: 'default' });
  });
});

describe('the address of Redis', () => {
  test('says where it came from', () => {
    expect(load({ REDIS_URL: 'redis://e:1' })).toMatchObject({ redisUrl: 'redis://e:1', redisFrom: 'env' });
    expect(load({ REDIS_URL: 'redis://e:1' }, { redisUrl: 'redis://f:1' })).toMatchObject({ redisFrom: 'flag' });
    writeFileSync(join(cwd, 'signalbox.yaml'), 'redisUrl: rediss://y:1\n');
    expect(load()).toMatchObject({ redisUrl: 'rediss://y:1', redisFrom: 'file' });
  });

  test('is that of `up` in this folder or above, when nothing else names one', () => {
    writeUp(join(cwd, '.signalbox'));
    mkdirSync(join(cwd, 'a/b'), { recursive: true });
    // Where its workers keep their data, not where the note lies.
    const dataDir = '/data';
    const found = { redisUrl: 'redis://127.0.0.1:7001', redisFrom: 'up', dataDir };
    expect(load({}, {}, join(cwd, 'a/b'))).toMatchObject(found);
    expect(load({ SIGNALBOX_DATA: 'mine' })).toMatchObject({ redisFrom: 'up', dataDir: join(cwd, 'mine') });
    expect(load({ REDIS_URL: 'redis://e:1' })).toMatchObject({ redisUrl: 'redis://e:1', redisFrom: 'env' });
  });

  test('is that of `up` with a data folder of its own, when that is named', () => {
    writeUp(join(cwd, 'elsewhere'));
    expect(load({ SIGNALBOX_DATA: 'elsewhere' })).toMatchObject({ redisFrom: 'up' });
    expect(findUp(cwd, join(cwd, 'elsewhere'))).toEqual({
      path: join(cwd, 'elsewhere/up.json'),
      up: { redisUrl: 'redis://127.0.0.1:7001', port: 8080, pid: 1, dataDir: '/data' },
    });
  });

  test('is not guessed from a broken up.json', () => {
    writeUp(join(cwd, '.signalbox'), '{');
    expect(refusal(() => load())).toMatchObject({ code: 'INVALID', next: expect.stringContaining('Delete') as string });
  });
});

describe('the lock servers', () => {
  test('are a list, with commas in a variable; each counts once', () => {
    const urls = ['redis://a', 'redis://b'];
    expect(load().lockRedisUrls).toEqual([]);
    expect(load({ SIGNALBOX_LOCK_REDIS: 'redis://a, redis://b,redis://a,' }).lockRedisUrls).toEqual(urls);
    expect(defineConfig({ lockRedisUrls: urls }).lockRedisUrls).toEqual(urls);
  });
});

describe('a wrong value names the option as it was written', () => {
  test.each([
    ['REDIS_URL', { REDIS_URL: 'http://me:hunter2@h' }],
    ['SIGNALBOX_QUEUE', { SIGNALBOX_QUEUE: 'My Queue' }],
    ['SIGNALBOX_QUEUE', { SIGNALBOX_QUEUE: 'x'.repeat(41) }],
    ['SIGNALBOX_LEASE_TTL', { SIGNALBOX_LEASE_TTL: '499' }],
    ['SIGNALBOX_LEASE_TTL', { SIGNALBOX_LEASE_TTL: '11m' }],
    ['SIGNALBOX_LEASE_TTL', { SIGNALBOX_LEASE_TTL: 'ten' }],
    ['SIGNALBOX_MAX_PARALLEL_RUNNERS', { SIGNALBOX_MAX_PARALLEL_RUNNERS: '0' }],
    ['SIGNALBOX_MAX_PARALLEL_RUNNERS', { SIGNALBOX_MAX_PARALLEL_RUNNERS: '1.5' }],
    ['SIGNALBOX_CONCURRENCY', { SIGNALBOX_CONCURRENCY: '257' }],
    ['SIGNALBOX_LOG_LIMIT', { SIGNALBOX_LOG_LIMIT: '10' }],
    ['SIGNALBOX_LOG_LEVEL', { SIGNALBOX_LOG_LEVEL: 'loud' }],
    ['SIGNALBOX_TOKEN', { SIGNALBOX_TOKEN: 'hunter2 ' }],
    ['SIGNALBOX_SIGNING_KEY', { SIGNALBOX_SIGNING_KEY: 'hunter2' }],
    ['SIGNALBOX_LOCK_REDIS', { SIGNALBOX_LOCK_REDIS: 'redis://:hunter2@a,http://:hunter2@b' }],
    ['SIGNALBOX_LOCK_REDIS', { SIGNALBOX_LOCK_REDIS: 'redis+cluster://a:1' }],
  ])('%s', (field, env) => {
    const error = refusal(() => load(env));
    expect(error).toMatchObject({ code: 'INVALID', field });
    expect(error.message).toMatch(new RegExp(`^\`${field}\` must be .*; given `));
    expect(error.message).not.toContain('hunter2');
  });

  test.each([
    [{ SIGNALBOX_LEASE_TLL: '2s' }, 'SIGNALBOX_LEASE_TTL'],
    [{ SIGNALBOX_REDIS_URL: 'redis://a' }, 'REDIS_URL'],
    [{ SIGNALBOX_LOGLEVEL: 'info' }, 'SIGNALBOX_LOG_LEVEL'],
  ])('%j was probably meant to be %s', (env, meant) => {
    expect(refusal(() => load(env)).message).toContain(`did you mean \`${meant}\`?`);
  });

  test('but other programs’ variables and those inside a step are let be', () => {
    const env = {
      SIGNALBOX_TASK_ID: 't',
      SIGNALBOX_SLOT_DB: '1',
      SIGNALBOX_BASE: 'x',
      SIGNALBOX_TEST: '1',
      PATH: '/bin',
    };
    expect(load(env).queue).toBe('default');
  });

  test('in the file, with the file', () => {
    writeFileSync(join(cwd, 'signalbox.yaml'), 'concurency: 2\n');
    const error = refusal(() => load());
    expect(error).toMatchObject({ code: 'INVALID', field: 'concurency' });
    expect(error.message).toBe(
      `unknown field \`concurency\`: did you mean \`concurrency\`? (in ${join(cwd, 'signalbox.yaml')})`,
    );
  });

  test.each(['[1]', 'queue: [', 'hello', '__proto__: {queue: x}'])(
    'in the file, when that is no list of options: %s',
    (text) => {
      writeFileSync(join(cwd, 'signalbox.yaml'), text);
      expect(refusal(() => load())).toMatchObject({ code: 'INVALID' });
    },
  );

  test('among the flags', () => {
    expect(refusal(() => load({}, { concurrency: 'many' }))).toMatchObject({ field: 'concurrency' });
    expect(refusal(() => defineConfig({ leaseTtl: 1 }))).toMatchObject({ field: 'leaseTtl' });
  });
});

describe('secrets in files', () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(cwd, name), text);
    return join(cwd, name);
  };

  test('are read for every variable that is secret, without the blanks around them', () => {
    const env = {
      REDIS_URL_FILE: file('url', 'redis://:pw@10.0.0.1:6379\n'),
      SIGNALBOX_LOCK_REDIS_FILE: file('locks', 'redis://a:6379,redis://b:6379\n'),
      SIGNALBOX_TOKEN_FILE: file('token', ' a-long-token\n'),
      SIGNALBOX_READ_TOKEN_FILE: 'read-token',
      SIGNALBOX_SIGNING_KEY_FILE: file('key', 'a-long-key'),
    };
    file('read-token', 'another-token\n');
    expect(load(env)).toMatchObject({
      redisUrl: 'redis://:pw@10.0.0.1:6379',
      redisFrom: 'env',
      lockRedisUrls: ['redis://a:6379', 'redis://b:6379'],
      token: 'a-long-token',
      readToken: 'another-token',
      signingKey: 'a-long-key',
    });
  });

  test('stand back for the variable itself', () => {
    const env = { SIGNALBOX_TOKEN: 'the-variable', SIGNALBOX_TOKEN_FILE: file('token', 'the-file-it-is') };
    expect(load(env).token).toBe('the-variable');
    expect(load({ ...env, SIGNALBOX_TOKEN: '' }).token).toBe('the-file-it-is');
  });

  test('are refused, with the variable named, when the file is not there or holds something wrong', () => {
    expect(refusal(() => load({ SIGNALBOX_TOKEN_FILE: '/no/such/file' }))).toMatchObject({
      code: 'INVALID',
      field: 'SIGNALBOX_TOKEN_FILE',
    });
    expect(refusal(() => load({ SIGNALBOX_TOKEN_FILE: file('token', 'short') }))).toMatchObject({
      code: 'INVALID',
      field: 'SIGNALBOX_TOKEN',
    });
  });

  test('are not for options that are no secret', () => {
    expect(refusal(() => load({ SIGNALBOX_QUEUE_FILE: file('queue', 'web') }))).toMatchObject({
      field: 'SIGNALBOX_QUEUE_FILE',
      message: expect.stringContaining('did you mean `SIGNALBOX_QUEUE`') as string,
    });
  });
});
