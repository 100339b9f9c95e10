/**
 * Whether tasks are being taken. That Redis answers and that workers are registered does not show it: a worker that has
 * lost its way to the queue may go on registering. So a job that stands for nothing goes through the queue, before all
 * tasks, and some worker must take it. Where every slot is in use nobody could; then those who use them are the proof.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CANARY } from '../queue/bull.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { registeredWorkers } from '../runner/registry.ts';

/** What was found. `canary`: `busy` where no slot is free, `paused` where nothing is to be taken. */
export interface Readiness {
  readonly ready: boolean;
  readonly workers: number;
  readonly canary: 'taken' | 'busy' | 'paused' | 'not_taken' | 'no_worker';
}

/** How long a worker may take to take the canary. */
const PATIENCE_MS = 3_000;
const LOOK_MS = 20;

/** Looks. Throws what Redis says when it does not answer or takes no writes. */
export async function readReadiness(queue: TaskQueue, patienceMs = PATIENCE_MS): Promise<Readiness> {
  await proveRedis(queue);
  const [workers, isPaused] = await Promise.all([registeredWorkers(queue.redis, queue.keys), queue.isPaused()]);
  const found = (ready: boolean, canary: Readiness['canary']): Readiness => ({
    ready,
    workers: workers.length,
    canary,
  });
  if (workers.length === 0) return found(false, 'no_worker');
  if (isPaused) return found(true, 'paused');
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  if ((await freeSlots(queue, slots)) <= 0) return found(true, 'busy');
  await queue.bull.addCanary();
  const giveUpAt = performance.now() + patienceMs;
  while (performance.now() < giveUpAt) {
    if ((await queue.bull.have([CANARY]))[0] !== true) return found(true, 'taken');
    await delay(LOOK_MS);
  }
  await queue.bull.remove(CANARY);
  // Tasks may have taken the last slot a moment before.
  return (await freeSlots(queue, slots)) <= 0 ? found(true, 'busy') : found(false, 'not_taken');
}

async function proveRedis({ redis, keys }: TaskQueue): Promise<void> {
  const key = keys.key('probe', randomUUID());
  await redis.set(key, '1', 'PX', 10_000);
  if ((await redis.getdel(key)) !== '1') throw new Error('Connection is closed: Redis has lost what it has just taken');
}

async function freeSlots({ bull }: TaskQueue, slots: number): Promise<number> {
  const [cap, active] = await Promise.all([bull.cap(), bull.active()]);
  return Math.min(slots, cap ?? slots) - active;
}
