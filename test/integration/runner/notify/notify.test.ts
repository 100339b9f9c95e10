import { createHmac } from 'node:crypto';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { defineConfig } from '../../../../src/config/config.ts';
import type { Options } from '../../../../src/config/options.ts';
import { Signalbox } from '../../../../src/index.ts';
import { TaskQueue } from '../../../../src/queue/task-queue.ts';
import { workerConnection } from '../../../../src/redis/connect.ts';
import { type NotifyOptions, startNotifying } from '../../../../src/runner/notify/notify.ts';
import { readReceivers } from '../../../../src/runner/notify/receivers.ts';
import { createEvents, type StampedEvent } from '../../../../src/telemetry/events.ts';
import { Receiver } from '../../../support/receiver.ts';
import { freshQueueName, testRedisUrl } from '../../../support/redis.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
const SECRET = 'the secret of the hook';

/** A queue without workers, whose tasks a test ends by hand. */
class Scene {
  readonly client: Signalbox;
  readonly queue: TaskQueue;
  readonly events: StampedEvent[] = [];

  private constructor(client: Signalbox) {
    this.client = client;
    const redis = workerConnection(testRedisUrl(), 'test');
    this.queue = new TaskQueue(redis, client.config);
    onTestFinished(async () => {
      await this.queue.close();
      redis.disconnect();
    });
  }

  static async open(): Promise<Scene> {
    const client = await Signalbox.connect({ redisUrl: testRedisUrl(), queue: freshQueueName() });
    onTestFinished(async () => await client.close());
    return new Scene(client);
  }

  /** Starts what a worker does; ends with the test, or by the answer, as in good order. */
  async notify(options: Options, more: NotifyOptions = {}): Promise<() => Promise<void>> {
    const { queue } = this.client.config;
    const config = defineConfig({ redisUrl: testRedisUrl(), queue, ...options });
    const events = createEvents();
    events.on('*', (event) => this.events.push(event));
    const receivers = await readReceivers(config, { HOOK_SECRET: SECRET });
    const stop = await startNotifying({ config, events, queue: this.queue }, receivers, { firstPauseMs: 20, ...more });
    let stopped: Promise<void> | undefined;
    const once = async (): Promise<void> => await (stopped ??= stop());
    onTestFinished(once);
    return once;
  }

  async submit(title = 'A task'): Promise<string> {
    const task = { title, repo: 'https://git.example.com/a.git', implement: ['true'] };
    return (await this.client.submit(task))[0]?.id ?? '';
  }

  async fail(id: string): Promise<void> {
    const outcome = { state: 'failed', code: 'timeout' } as const;
    const finished = await this.queue.finish(id, { by: 'any' }, { outcome, reason: 'by the test' });
    expect(finished.kind).toBe('ok');
  }

  /** Everything that Redis holds of the queue, as text. */
  async everything(): Promise<string> {
    const { redis, keys } = this.queue;
    const names = await redis.keys(`${keys.prefix}*`);
    const dumps = await Promise.all(names.map(async (name) => (await redis.dumpBuffer(name))?.toString('latin1')));
    return [...names, ...dumps].join('\n');
  }
}

async function receiver(): Promise<Receiver> {
  const made = await Receiver.start();
  onTestFinished(async () => await made[Symbol.asyncDispose]());
  return made;
}

const idsOf = ({ received }: Receiver): unknown[] => received.map(({ headers }) => headers['webhook-id']);

describe('a webhook', () => {
  it('is told of an end once, signed, by whichever of two workers, and Redis holds neither address nor secret', async () => {
    const scene = await Scene.open();
    const to = await receiver();
    const webhooks = [{ url: to.url('/P4TH'), secret: 'HOOK_SECRET' }];
    await Promise.all([scene.notify({ webhooks }), scene.notify({ webhooks })]);
    const id = await scene.submit();
    await scene.fail(id);
    await vi.waitFor(() => expect(idsOf(to)).toEqual([`task.failed.${id}`]), PATIENCE);
    const { headers, body, path } = to.received[0] ?? { headers: {}, body: '', path: '' };
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const signature = createHmac('sha256', SECRET).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(path).toBe('/P4TH');
    expect(JSON.parse(body)).toMatchObject({ type: 'task.failed', task: { id, state: 'failed', code: 'timeout' } });
    const kept = await scene.everything();
    expect(kept).toContain(`task.failed.${id}`);
    expect(kept).not.toContain('P4TH');
    expect(kept).not.toContain(SECRET);
    // A second end is news; the first is not told again with it.
    await scene.fail(await scene.submit());
    await vi.waitFor(() => expect(to.received).toHaveLength(2), PATIENCE);
    expect(new Set(idsOf(to)).size).toBe(2);
  });

  it('hears only of what it asked for', async () => {
    const scene = await Scene.open();
    const [all, some] = [await receiver(), await receiver()];
    await scene.notify({ webhooks: [{ url: some.url(), on: ['succeeded', 'set_aside'] }], notify: [all.url()] });
    const id = await scene.submit();
    await scene.fail(id);
    await vi.waitFor(() => expect(idsOf(all)).toEqual([`task.failed.${id}`]), PATIENCE);
    const bad = await scene.submit();
    await scene.queue.finish(bad, { by: 'any' }, { outcome: { state: 'failed', code: 'invalid' }, reason: '' });
    await vi.waitFor(() => expect(idsOf(some)).toEqual([`task.set_aside.${bad}`]), PATIENCE);
  });

  it('is told again, with the same id and body, until it takes the message', async () => {
    const scene = await Scene.open();
    const to = await receiver();
    to.answer = (response) => response.writeHead(to.received.length < 3 ? 503 : 200).end();
    await scene.notify({ notify: [to.url()] });
    const id = await scene.submit();
    await scene.fail(id);
    await vi.waitFor(() => expect(scene.events.map(({ type }) => type)).toContain('webhook.delivered'), PATIENCE);
    expect(idsOf(to)).toEqual(Array.from({ length: 3 }, () => `task.failed.${id}`));
    expect(new Set(to.received.map(({ body }) => body)).size).toBe(1);
    expect(scene.events.filter(({ type }) => type.startsWith('webhook'))).toMatchObject([
      { type: 'webhook.failed', attempts: 1, reason: 'it answered 503', to: `127.0.0.1:${to.port}` },
      { type: 'webhook.failed', attempts: 2 },
      { type: 'webhook.delivered', attempts: 3 },
    ]);
  });

  it('is given up when it says that it is gone, and is not followed elsewhere', async () => {
    const scene = await Scene.open();
    const [gone, moved, target] = [await receiver(), await receiver(), await receiver()];
    gone.answer = (response) => response.writeHead(410).end();
    moved.answer = (response) => response.writeHead(307, { location: target.url() }).end();
    await scene.notify({ notify: [gone.url(), moved.url()] });
    await scene.fail(await scene.submit());
    await vi.waitFor(() => {
      const types = scene.events.filter(({ type }) => type.startsWith('webhook')).map(({ type }) => type);
      expect(types).toContain('webhook.dropped');
      expect(moved.received.length).toBeGreaterThan(1);
    }, PATIENCE);
    expect(gone.received).toHaveLength(1);
    expect(target.received).toHaveLength(0);
  });

  it('that hangs keeps no other one from being told, and is asked again', async () => {
    const scene = await Scene.open();
    const [hanging, sound] = [await receiver(), await receiver()];
    hanging.answer = () => {};
    await scene.notify({ notify: [hanging.url(), sound.url()] }, { timeoutMs: 200 });
    const ids = await Promise.all([1, 2, 3, 4, 5, 6].map(async () => await scene.submit()));
    for (const id of ids) await scene.fail(id);
    await vi.waitFor(() => expect(new Set(idsOf(sound)).size).toBe(6), PATIENCE);
    await vi.waitFor(() => expect(hanging.received.length).toBeGreaterThan(6), PATIENCE);
    expect(scene.events.find(({ type }) => type === 'webhook.failed')).toMatchObject({
      reason: 'it did not answer within 200 ms',
    });
  });

  it('is told by another worker what the first one could not deliver', async () => {
    const scene = await Scene.open();
    const away = await Receiver.start();
    const { port } = away;
    await away[Symbol.asyncDispose]();
    const notify = [`http://127.0.0.1:${port}/`];
    const stop = await scene.notify({ notify });
    const id = await scene.submit();
    await scene.fail(id);
    await vi.waitFor(() => expect(scene.events.map(({ type }) => type)).toContain('webhook.failed'), PATIENCE);
    await stop();
    const back = await Receiver.start(port);
    onTestFinished(async () => await back[Symbol.asyncDispose]());
    await scene.notify({ notify });
    await vi.waitFor(() => expect(idsOf(back)).toEqual([`task.failed.${id}`]), PATIENCE);
  });

  it('is told of what ended while no worker was there to tell it', async () => {
    const scene = await Scene.open();
    const to = await receiver();
    await (await scene.notify({ notify: [to.url()] }))();
    const id = await scene.submit();
    await scene.fail(id);
    expect(to.received).toHaveLength(0);
    await scene.notify({ notify: [to.url()] });
    await vi.waitFor(() => expect(idsOf(to)).toEqual([`task.failed.${id}`]), PATIENCE);
    await vi.waitFor(
      async () => expect(await scene.queue.redis.zcard(scene.queue.keys.all('untold'))).toBe(0),
      PATIENCE,
    );
  });

  it('is told once of each time that a task is blocked for longer than the bound, and not before', async () => {
    const scene = await Scene.open();
    const to = await receiver();
    const { store } = scene.queue;
    const block = async (id: string): Promise<void> => {
      const picked = await store.pickUp(id);
      if (picked.kind !== 'ok') throw new Error(picked.kind);
      const moved = await store.move(id, { by: 'pickup', number: picked.record.pickup }, { to: 'blocked', reason: '' });
      expect(moved.kind).toBe('ok');
    };
    const [long, short] = [await scene.submit(), await scene.submit()];
    await block(long);
    await scene.queue.redis.hincrby(scene.queue.keys.key('task', long), 'blockedSince', -3_600_000);
    await block(short);
    await scene.notify({ notify: [to.url()], notifyBlockedAfter: '30m' });
    await vi.waitFor(() => expect(to.received).toHaveLength(1), PATIENCE);
    expect(JSON.parse(to.received[0]?.body ?? '')).toMatchObject({ type: 'task.blocked', task: { id: long } });
    // Another worker that looks tells nothing anew.
    await scene.fail(short);
    await scene.notify({ notify: [to.url()], notifyBlockedAfter: '30m' });
    await vi.waitFor(() => expect(to.received).toHaveLength(2), PATIENCE);
    expect(idsOf(to)[1]).toBe(`task.failed.${short}`);
  });
});

it('a secret that the worker does not have is named, with its field', async () => {
  const config = defineConfig({ webhooks: [{ url: 'https://a/1' }, { url: 'https://b/2', secret: 'NOT_THERE' }] });
  await expect(readReceivers(config, {})).rejects.toMatchObject({
    code: 'INVALID',
    field: 'webhooks[1].secret',
    next: expect.stringContaining('NOT_THERE') as unknown,
  });
});
