import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type Connection, producerConnection, workerConnection } from '../../../src/redis/connect.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { type Listener, subscribe } from '../../../src/redis/subscribe.ts';
import { removeFolder } from '../../support/remove-folder.ts';
import { until } from '../../support/system/until.ts';

// One of its own, since connections are cut off by their kind.
let dir: string;
let server: EmbeddedRedis;
let redis: Connection;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-test-'));
  server = await startEmbeddedRedis({ dir, aof: false });
  redis = workerConnection(server.url, 'test');
});

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  redis.disconnect();
  await server.stop();
  removeFolder(dir);
});

/** Listens to the channel `news`; answers what is heard, how to end it, and the connection that it uses. */
async function hear(more: Partial<Listener> = {}) {
  const heard: string[] = [];
  const duplicate = vi.spyOn(redis as Redis, 'duplicate');
  const end = await subscribe(redis, ['news'], { onMessage: (_channel, text) => heard.push(text), ...more });
  onTestFinished(end);
  const connection = duplicate.mock.results[0]?.value as Redis;
  return { heard, end, connection };
}

const cutOff = async (): Promise<unknown> => await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
const listeners = async (): Promise<number> => Number(((await redis.call('PUBSUB', 'NUMSUB', 'news')) as unknown[])[1]);

test('what is published is heard, also after an outage, which is told', async () => {
  const onReconnected = vi.fn();
  const { heard, end } = await hear({ onReconnected });
  await redis.publish('news', 'one');
  await until('it is heard', () => heard.length === 1);
  expect(onReconnected).not.toHaveBeenCalled();
  await cutOff();
  await until('it listens again', () => onReconnected.mock.calls.length > 0);
  await redis.publish('news', 'two');
  await until('that is heard too', () => heard.length === 2);
  expect(heard).toEqual(['one', 'two']);
  end();
  await until('nobody listens', async () => (await listeners()) === 0);
});

test('it may be ended and cut off in the moment in which it begins to listen again', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const { end, connection } = await hear();
  const ended = new Promise((resolve) => connection.once('end', resolve));
  connection.once('ready', () => {
    end();
    // Else Redis might still answer.
    connection.stream.destroy();
  });
  await cutOff();
  await ended;
  // Node tells of rejections after what was to be done at once.
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
  await until('nobody listens', async () => (await listeners()) === 0);
});

test('a subscription that Redis refuses leaves no connection behind', async () => {
  await redis.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '&other', '+@all');
  const deaf = await producerConnection(server.url.replace('redis://', 'redis://deaf:secret@'));
  onTestFinished(() => deaf.disconnect());
  const clients = async (): Promise<number> =>
    String(await redis.client('LIST'))
      .trim()
      .split('\n').length;
  const before = await clients();
  await expect(subscribe(deaf, ['news'], { onMessage: () => {} })).rejects.toThrow(/NOPERM/);
  await until('its connection is closed', async () => (await clients()) === before);
});

test('one that is patient waits for a Redis that is away, and another one does not', async () => {
  const producer = await producerConnection(server.url);
  onTestFinished(() => producer.disconnect());
  await server.stop();
  const heard: string[] = [];
  const listener = { onMessage: (_channel: string, text: string) => void heard.push(text) };
  await expect(subscribe(producer, ['news'], listener)).rejects.toThrow(/max retries/);
  const begun = subscribe(producer, ['news'], { ...listener, isPatient: true });
  // It has been refused as often as the other one.
  await expect(producer.ping()).rejects.toThrow(/max retries/);
  server = await startEmbeddedRedis({ dir, port: server.port, aof: false });
  onTestFinished(await begun);
  await redis.publish('news', 'back');
  await until('it is heard', () => heard.length > 0);
});
