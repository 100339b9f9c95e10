/**
 * GroupMQ: one key a task, the group, here the task's branch. It is given as many tasks at once as Signalbox, and keeps
 * what it has completed only to be counted; all else is its default, which hands the next job of a group over in the
 * script that completes the one before.
 */

import { Queue, Worker } from 'groupmq';
import { Redis } from 'ioredis';
import type { Note } from '../stats.ts';
import { type BenchWorker, type Place, type Producer, type System, work } from './system.ts';

interface JobData {
  readonly task: number;
  readonly ms: number;
}

/** More than any run has tasks. */
const KEEP = 100_000;

function openQueue({ redisUrl, queue }: Place): { readonly redis: Redis; readonly jobs: Queue<JobData> } {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  return { redis, jobs: new Queue<JobData>({ redis, namespace: queue, keepCompleted: KEEP }) };
}

async function openWorker(place: Place): Promise<BenchWorker> {
  const notes: Note[] = [];
  const { redis, jobs } = openQueue(place);
  const worker = new Worker<JobData>({
    queue: jobs,
    concurrency: place.concurrency,
    handler: async ({ data }) => await work(notes, data),
  });
  void worker.run();
  return {
    close: async () => {
      await worker.close();
      redis.disconnect();
      return { notes, blocked: 0, deadManFired: 0 };
    },
  };
}

async function openProducer(place: Place): Promise<Producer> {
  const { redis, jobs } = openQueue(place);
  return {
    pause: async () => {},
    resume: async () => {},
    add: async (tasks, first) => {
      for (const [i, { branch, ms }] of tasks.entries()) {
        await jobs.add({ groupId: branch, data: { task: first + i, ms }, orderMs: first + i });
      }
    },
    finished: async () => {
      const { completed, failed } = await jobs.getJobCounts();
      if (failed > 0) throw new Error(`${failed} jobs failed`);
      return completed;
    },
    close: async () => {
      await jobs.close();
      redis.disconnect();
    },
  };
}

/** GroupMQ with the branch as group. */
export const groupmq: System = { title: 'GroupMQ', opensLate: true, openWorker, openProducer };
