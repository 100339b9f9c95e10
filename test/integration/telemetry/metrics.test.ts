import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { defineConfig } from '../../../src/config/config.ts';
import { Signalbox } from '../../../src/index.ts';
import { TaskQueue } from '../../../src/queue/task-queue.ts';
import { producerConnection } from '../../../src/redis/connect.ts';
import { startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { METRICS_CONTENT_TYPE, metricsText } from '../../../src/server/metrics.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import { OWNER_SERIES } from '../../../src/telemetry/metrics/definitions.ts';
import { addCounted, startCounting } from '../../../src/telemetry/metrics/store.ts';
import { Tally } from '../../../src/telemetry/metrics/tally.ts';
import { docText } from '../../support/markdown.ts';
import { hasPromtool, promtoolMissing } from '../../support/promtool.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

async function open(redisUrl = testRedisUrl()): Promise<Signalbox> {
  const client = await Signalbox.connect({ redisUrl, queue: freshQueueName() });
  onTestFinished(async () => await client.close());
  return client;
}

/** The value of a series as it is written, or undefined. */
function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('the metrics of a queue', () => {
  it('are the same after a worker has gone as before, and go on from there', async () => {
    const { queue } = await open();
    for (const round of [1, 2]) {
      const events = createEvents();
      const stop = startCounting({ redis: queue.redis, keys: queue.keys, events, everyMs: 60_000 });
      events.emit({ type: 'lease.lost', runnerId: 'r', reason: 'deadline' });
      events.emit({ type: 'claim.acquired', taskId: 't', runnerId: 'r', run: 1, resources: 1, handOverMs: 7 });
      events.emit({ type: 'task.blocked', taskId: 't', policy: 'wait', resource: 'path:src/secret name' });
      await stop();
      const text = await metricsText(queue);
      expect(valueOf(text, 'signalbox_leases_lost_total')).toBe(round);
      expect(valueOf(text, 'signalbox_hand_over_seconds_bucket{le="0.005"}')).toBe(0);
      expect(valueOf(text, 'signalbox_hand_over_seconds_bucket{le="0.01"}')).toBe(round);
      expect(valueOf(text, 'signalbox_hand_over_seconds_bucket{le="+Inf"}')).toBe(round);
      expect(valueOf(text, 'signalbox_hand_over_seconds_count')).toBe(round);
      expect(valueOf(text, 'signalbox_hand_over_seconds_sum')).toBeCloseTo(0.007 * round);
      expect(valueOf(text, 'signalbox_conflicts_total{policy="wait",resource_kind="path"}')).toBe(round);
      expect(text).not.toContain('secret');
    }
  });

  it('are written down while a worker runs, and by all workers together', async () => {
    const { queue } = await open();
    const stops = [1, 2, 3].map((worker) => {
      const events = createEvents();
      const stop = startCounting({ redis: queue.redis, keys: queue.keys, events, everyMs: 5 });
      for (let i = 0; i < worker; i += 1)
        events.emit({ type: 'worker.started', workerId: 'w', host: 'h', pid: 1, concurrency: 1 });
      return stop;
    });
    await expect
      .poll(async () => valueOf(await metricsText(queue), 'signalbox_worker_starts_total'), { timeout: 10_000 })
      .toBe(6);
    await Promise.all(stops.map((stop) => stop()));
    expect(valueOf(await metricsText(queue), 'signalbox_worker_starts_total')).toBe(6);
  });

  it('lose nothing that could not be written at once', async () => {
    const { queue } = await open();
    const events = createEvents();
    // What a wrong type answers is an error, as a full Redis does.
    await queue.redis.set(queue.keys.all('metrics'), 'in the way');
    const asked = vi.spyOn(queue.redis, 'evalsha');
    const stop = startCounting({ redis: queue.redis, keys: queue.keys, events, everyMs: 5 });
    events.emit({ type: 'task.started', taskId: 't', runnerId: 'r', run: 1, workerId: 'w', owner: 'o', waitMs: 2_000 });
    await vi.waitFor(() => expect(asked.mock.settledResults.map(({ type }) => type)).toContain('rejected'));
    await queue.redis.del(queue.keys.all('metrics'));
    await stop();
    const text = await metricsText(queue);
    expect(valueOf(text, 'signalbox_runs_started_total')).toBe(1);
    expect(valueOf(text, 'signalbox_owner_wait_seconds_count{owner="o"}')).toBe(1);
  });

  it('count in Redis itself what scripts decide: each submission and each end once', async () => {
    const client = await open();
    const { queue } = client;
    const task = { title: 'A task', repo: 'https://git.example.com/a.git', implement: ['true'] };
    const accepted = await client.submit([
      { ...task, idempotencyKey: 'first' },
      { ...task, dependsOn: ['first'] },
    ]);
    const first = accepted[0]?.id ?? '';
    await client.cancel(first);
    await client.submit([{ ...task, dependsOn: [first] }]);
    const text = await metricsText(queue);
    expect(valueOf(text, 'signalbox_tasks_submitted_total')).toBe(3);
    expect(valueOf(text, 'signalbox_tasks_finished_total{state="cancelled",code="cancelled"}')).toBe(1);
    expect(valueOf(text, 'signalbox_tasks_finished_total{state="skipped",code="dependency_failed"}')).toBe(2);
    expect(valueOf(text, 'signalbox_tasks_finished_total{state="succeeded",code=""}')).toBe(0);
  });

  it('tell the state of the queue at that moment', async () => {
    const client = await open();
    await client.submit(
      [1, 2, 3].map((n) => ({ title: `${n}`, repo: 'https://git.example.com/a.git', implement: ['true'] })),
    );
    await client.setLimit('max_parallel_runners', 7);
    await client.pause();
    const text = await metricsText(client.queue);
    expect(valueOf(text, 'signalbox_tasks{state="queued"}')).toBe(3);
    expect(valueOf(text, 'signalbox_max_parallel_runners')).toBe(7);
    expect(valueOf(text, 'signalbox_paused')).toBe(1);
    expect(valueOf(text, 'signalbox_workers')).toBe(0);
    expect(valueOf(text, 'signalbox_redis_up')).toBe(1);
    await client.setLimit('max_parallel_runners', null);
    await client.resume();
    const later = await metricsText(client.queue);
    expect(later).not.toContain('signalbox_max_parallel_runners ');
    expect(valueOf(later, 'signalbox_paused')).toBe(0);
  });

  it('say that Redis is away, and nothing else', async () => {
    const { queue } = await open();
    queue.redis.disconnect();
    const text = await metricsText(queue);
    expect(valueOf(text, 'signalbox_redis_up')).toBe(0);
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toHaveLength(1);
  });

  it('say so too when Redis hangs, before Prometheus gives up', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'signalbox-metrics-'));
    const redis = await startEmbeddedRedis({ dir, aof: false });
    try {
      const { queue } = await open(redis.url);
      process.kill(redis.pid, 'SIGSTOP');
      expect(valueOf(await metricsText(queue), 'signalbox_redis_up')).toBe(0);
    } finally {
      process.kill(redis.pid, 'SIGCONT');
      await redis.stop();
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('can be read by a user of Redis that may only look, and an error is not taken for an outage', async () => {
    const { queue } = await open();
    await queue.redis.sadd(queue.keys.all('workers'), 'w-that-is-dead');
    await queue.redis.hset(queue.keys.all('metrics'), 'signalbox_publications_total', 3);
    const [, rules = ''] = /^user reader on (.*)$/m.exec(docText('security.md')) ?? [];
    const user = freshQueueName();
    await queue.redis.acl('SETUSER', user, 'on', ...rules.split(' '));
    onTestFinished(async () => void (await queue.redis.acl('DELUSER', user)));
    const url = new URL(testRedisUrl());
    [url.username, url.password] = [user, 'reader-password'];
    const redis = await producerConnection(url.href);
    onTestFinished(() => redis.disconnect());
    const looking = new TaskQueue(redis, defineConfig({ queue: queue.keys.prefix.slice('{signalbox:'.length, -2) }));
    expect(valueOf(await metricsText(looking), 'signalbox_publications_total')).toBe(3);
    await queue.redis.acl('SETUSER', user, '-info');
    await expect(metricsText(looking)).rejects.toThrow();
  });

  it.skipIf(!hasPromtool)(`are what promtool takes for good metrics${promtoolMissing}`, async () => {
    const { queue } = await open();
    const tally = new Tally();
    tally.observeOwner('team "a"\\', 1_500);
    tally.observe('signalbox_phase_seconds', 20_000, ['implement', 'true']);
    await addCounted(queue, tally.take());
    const text = await metricsText(queue);
    expect(METRICS_CONTENT_TYPE).toContain('version=0.0.4');
    expect(spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const broken = text.replace('signalbox_redis_up 1', 'signalbox_redis_up one');
    expect(spawnSync('promtool', ['check', 'metrics'], { input: broken }).status).not.toBe(0);
  });
});

describe('the waits by owner', () => {
  const ownersIn = (text: string): string[] =>
    [...text.matchAll(/^signalbox_owner_wait_seconds_count\{owner="([^"]*)"\}/gm)].map(([, owner]) => owner ?? '');

  it('have one series each for the busiest owners and one for all others, however many there are', async () => {
    const { queue } = await open();
    const tally = new Tally();
    for (let i = 0; i < 1_000; i += 1) tally.observeOwner(`owner-${i}`, 1_000);
    await addCounted(queue, tally.take());
    for (let i = 0; i < 1_000; i += 1) tally.observeOwner(`owner-${i}`, 1_000);
    await addCounted(queue, tally.take());
    const text = await metricsText(queue);
    expect(ownersIn(text)).toHaveLength(OWNER_SERIES + 1);
    const counts = ownersIn(text).map(
      (owner) => valueOf(text, `signalbox_owner_wait_seconds_count{owner="${owner}"}`) ?? 0,
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2_000);
    expect(await queue.redis.zcard(queue.keys.all('metric-owners'))).toBeLessThanOrEqual(10 * OWNER_SERIES);
  });

  it('give the place of the least busy to one that is far busier, and forget what that one had', async () => {
    const { queue } = await open();
    const add = async (owner: string, times: number): Promise<void> => {
      const tally = new Tally();
      for (let i = 0; i < times; i += 1) tally.observeOwner(owner, 1_000);
      await addCounted(queue, tally.take());
    };
    for (let i = 0; i < OWNER_SERIES; i += 1) await add(`owner-${i}`, i === 3 ? 2 : 5);
    await add('late', 4);
    expect(ownersIn(await metricsText(queue))).toContain('owner-3');
    await add('late', 1);
    const text = await metricsText(queue);
    expect(ownersIn(text)).not.toContain('owner-3');
    expect(valueOf(text, 'signalbox_owner_wait_seconds_count{owner="late"}')).toBe(1);
    expect(valueOf(text, 'signalbox_owner_wait_seconds_count{owner="other"}')).toBe(4);
    expect(ownersIn(text)).toHaveLength(OWNER_SERIES + 1);
  });
});
