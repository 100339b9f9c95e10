/**
 * BullMQ by itself, and BullMQ with a lock around each job in the two ways that textbooks have it: redlock on all keys
 * at once, with redlock's own retries in the worker until it has them, or with one try and the job put back for a
 * moment. Redlock gives up after ten tries by default; here it goes on. Its default delay between tries is 200 ms and
 * up to 100 ms more.
 */

import { DelayedError, type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import Redlock, { ExecutionError, type ScriptClient } from 'redlock';
import type { Note } from '../stats.ts';
import { type BenchTask, resourcesOf } from '../workload.ts';
import { type BenchWorker, type Place, type Producer, type System, work } from './system.ts';

interface JobData {
  readonly task: number;
  readonly ms: number;
  readonly keys: readonly string[];
}

/** What is around each job. */
type Locking = 'none' | 'retry' | 'put back';

const LOCK_MS = 30_000;
const PUT_BACK_MS = 100;

async function openWorker({ redisUrl, queue, concurrency }: Place, locking: Locking): Promise<BenchWorker> {
  const notes: Note[] = [];
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const redlock = new Redlock([adapt(connection)], { retryCount: locking === 'retry' ? -1 : 0 });
  let blocked = 0;
  redlock.on('error', () => (blocked += 1));
  const run = async (job: Job<JobData>, token?: string): Promise<void> => {
    if (locking === 'none') return await work(notes, job.data);
    const lock = await redlock.acquire([...job.data.keys], LOCK_MS).catch(async (error: unknown) => {
      if (!(error instanceof ExecutionError)) throw error;
      await job.moveToDelayed(Date.now() + PUT_BACK_MS, token);
      throw new DelayedError();
    });
    await work(notes, job.data);
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
    pause: async () => await jobs.pause(),
    resume: async () => await jobs.resume(),
    add: async (tasks, first) => {
      await jobs.addBulk(tasks.map((task, i) => toJob(task, { queue, number: first + i })));
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

function toJob(task: BenchTask, { queue, number }: { readonly queue: string; readonly number: number }) {
  const keys = resourcesOf(task).map((resource) => `${queue}:${resource}`);
  return { name: 'work', data: { task: number, ms: task.ms, keys }, opts: { priority: number + 1 } };
}

function bullmq(title: string, locking: Locking): System {
  return { title, openWorker: async (place) => await openWorker(place, locking), openProducer };
}

/** BullMQ with redlock's retries around each job. */
export const bullmqWithRedlock = bullmq('BullMQ + redlock’s retries', 'retry');
/** BullMQ with one try of redlock, after which the job is put back for 100 ms. */
export const bullmqPutBack = bullmq('BullMQ + put back for 100 ms', 'put back');
/** BullMQ without any locks. */
export const bullmqAlone = bullmq('BullMQ alone', 'none');
