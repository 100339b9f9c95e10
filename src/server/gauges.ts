/** What is read from Redis at the moment somebody asks. */

import { countWaitingMessages } from '../queue/messages.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { redisFindings } from '../redis/health.ts';
import { registeredWorkers } from '../runner/registry.ts';
import type { GaugeValues } from '../telemetry/metrics/samples.ts';

/** Of so many tasks, those submitted first, the longest wait is sought, so that a long queue costs no more. */
const OLDEST_AMONG = 200;

/** The gauges. Rejects when Redis does not answer. */
export async function readGauges(queue: TaskQueue): Promise<GaugeValues> {
  const [counts, cap, paused, workers, holders, waiting, findings, queuedMs, blockedMs] = await Promise.all([
    queue.store.counts(),
    queue.bull.cap(),
    queue.isPaused(),
    registeredWorkers(queue.redis, queue.keys),
    queue.redis.zcard(queue.keys.all('holders')),
    countWaitingMessages(queue),
    redisFindings(queue.redis, queue.leaseTtlMs),
    oldestMs(queue, 'queued'),
    oldestMs(queue, 'blocked'),
  ]);
  const one = (value: number): (readonly [readonly string[], number])[] => [[[], value]];
  const wrong = (level: string): number => findings.filter((finding) => !finding.ok && finding.level === level).length;
  const ttlMs = Math.max(...workers.map(({ leaseTtlMs = 0 }) => leaseTtlMs), 0) || queue.leaseTtlMs;
  const ageMs = workers.map(({ leaseTtlMs = queue.leaseTtlMs, leaseMs }) => Math.max(0, leaseTtlMs - leaseMs));
  return {
    signalbox_redis_findings: ['error', 'warn'].map((level) => [[level], wrong(level)]),
    signalbox_tasks: (['queued', 'scheduled', 'blocked', 'running'] as const).map((state) => [[state], counts[state]]),
    signalbox_holders: one(holders),
    signalbox_workers: one(workers.length),
    signalbox_worker_slots: one(workers.reduce((sum, { concurrency }) => sum + concurrency, 0)),
    signalbox_worker_lease_age_seconds: one(Math.max(0, ...ageMs) / 1_000),
    signalbox_lease_ttl_seconds: one(ttlMs / 1_000),
    ...(cap === undefined ? {} : { signalbox_max_parallel_runners: one(cap) }),
    signalbox_paused: one(paused ? 1 : 0),
    signalbox_oldest_wait_seconds: [
      [['queued'], queuedMs / 1_000],
      [['blocked'], blockedMs / 1_000],
    ],
    signalbox_webhooks_waiting: one(waiting),
  };
}

/** By the clock of Redis, which has written down when each wait began. */
async function oldestMs({ redis, keys }: TaskQueue, state: 'queued' | 'blocked'): Promise<number> {
  const ids = await redis.zrange(keys.key('state', state), '0', String(OLDEST_AMONG - 1));
  if (ids.length === 0) return 0;
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hget(keys.key('task', id), state === 'queued' ? 'submittedAt' : 'blockedSince');
  const [replies, [seconds]] = await Promise.all([pipeline.exec(), redis.time() as unknown as Promise<[string]>]);
  // One that is blocked no more since it was listed has no such time.
  const times = (replies ?? []).flatMap(([, since]) => (typeof since === 'string' ? [Number(since)] : []));
  return Math.max(0, ...times.map((since) => Number(seconds) * 1_000 - since));
}
