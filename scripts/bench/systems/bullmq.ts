/**
 * BullMQ by itself, and BullMQ with a lock around each job as textbooks have it: redlock on all keys at once, with
 * redlock's own retries in the worker until it has them. Redlock gives up after ten tries by default; here it goes on.
 */

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import Redlock, { type ScriptClient } from 'redlock';
import type { Note } from '../stats.ts';
import { type BenchTask, resourcesOf } from '../workload.ts';
import { type BenchWorker, type Place, type Producer, type System, work } from './system.ts';

interface JobData {
  readonly task: number;
  readonly ms: number;
  readonly keys: readonly string[];
}

const LOCK_MS = 30_000;

async function openWorker({ redisUrl, queue, concurrency }: Place, locks: boolean): Promise<BenchWorker> {
  const notes: Note[] = [];
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const redlock = new Redlock([adapt(connection)], { retryCount: -1 });
  let blocked = 0;
  redlock.on('error', () => (blocked += 1));
  const run = async ({ data }: { readonly data: JobData }): Promise<void> => {
    if (!locks) return await work(notes, data);
    const lock = await redlock.acquire([...data.keys], LOCK_MS);
    await work(notes, data);
    await redlock.release(lock);
  };
  const worker = new Worker<JobData>(queue, run, { connection, concurrency });
  await worker.waitUntilReady();
  return {
    close: async () => {
      await worker.close();
      connection.disconnect();
      return { notes, blocked, deadManFired: 0 };
    },
  };
}

/** redlock was written for an older ioredis, which took the arguments as one list. */
function adapt(redis: Redis): ScriptClient {
  return {
    evalsha: async (hash, count, args) => await redis.evalsha(hash, count, ...args),
    eval: async (script, count, args) => await redis.eval(script, count, ...args),
  };
}

async function openProducer({ redisUrl, queue }: Place): Promise<Producer> {
  const connection = new Redis(redisUrl);
  const jobs = new Queue<JobData>(queue, { connection });
  return {
    submit: async (tasks) => {
      await jobs.pause();
      await jobs.addBulk(tasks.map((task, i) => toJob(task, { queue, i })));
      await jobs.resume();
    },
    finished: async () => {
      const { completed = 0, failed = 0 } = await jobs.getJobCounts('completed', 'failed');
      if (failed > 0) throw new Error(`${failed} jobs failed`);
      return completed;
    },
    close: async () => {
      await jobs.close();
      connection.disconnect();
    },
  };
}

function toJob(task: BenchTask, { queue, i }: { readonly queue: string; readonly i: number }) {
  const keys = resourcesOf(task).map((resource) => `${queue}:${resource}`);
  return { name: 'work', data: { task: i, ms: task.ms, keys }, opts: { priority: i + 1 } };
}

/** BullMQ with redlock's retries around each job. */
export const bullmqWithRedlock: System = { openWorker: async (place) => await openWorker(place, true), openProducer };
/** BullMQ without any locks. */
export const bullmqAlone: System = { openWorker: async (place) => await openWorker(place, false), openProducer };
