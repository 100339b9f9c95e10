/** Signalbox, as its library's users have it. */

import { Queue } from 'bullmq';
import { createWorker } from '../../../src/client/create-worker.ts';
import { Signalbox } from '../../../src/client/signalbox.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import type { Note } from '../stats.ts';
import type { BenchTask } from '../workload.ts';
import { type BenchWorker, type Place, type Producer, type System, work } from './system.ts';

/** More than any run has tasks, since they are counted when they have ended. */
const HISTORY = 100_000;
/** How many tasks are submitted at once. */
const CHUNK = 500;
/** The repository of the tasks. Never fetched: they are handlers that ask for no checkout. */
export const REPO = 'https://git.example.com/acme/app.git';

async function openWorker({ redisUrl, queue, concurrency, dir }: Place): Promise<BenchWorker> {
  const notes: Note[] = [];
  const seen = { blocked: 0, deadManFired: 0 };
  const events = createEvents();
  events.on('task.blocked', () => (seen.blocked += 1));
  events.on('wait.dead_man_fired', () => (seen.deadManFired += 1));
  const handlers = {
    work: async (_task: unknown, { input }: { readonly input: unknown }) =>
      await work(notes, input as { task: number; ms: number }),
  };
  const worker = await createWorker({
    redisUrl,
    queue,
    concurrency,
    dataDir: dir,
    historyLimit: HISTORY,
    handlers,
    events,
  });
  return {
    close: async () => {
      await worker.stop();
      return { notes, ...seen };
    },
  };
}

async function openProducer({ redisUrl, queue }: Place): Promise<Producer> {
  const signalbox = await Signalbox.connect({ redisUrl, queue });
  const { redis, keys } = signalbox.queue;
  const jobs = new Queue(keys.bull.name, { connection: redis, prefix: keys.bull.prefix });
  return {
    pause: async () => await jobs.pause(),
    resume: async () => await jobs.resume(),
    add: async (tasks, first) => {
      const inputs = tasks.map((task, i) => toInput(task, first + i));
      for (let from = 0; from < inputs.length; from += CHUNK) {
        await signalbox.submit(inputs.slice(from, from + CHUNK));
      }
    },
    finished: async () => {
      const { succeeded, failed } = await signalbox.queue.store.counts();
      if (failed > 0) throw new Error(`${failed} tasks failed`);
      return succeeded;
    },
    close: async () => {
      await jobs.close();
      await signalbox.close();
    },
  };
}

/** A task as Signalbox is given it. */
function toInput({ branch, files, ms }: BenchTask, task: number) {
  const title = `bench ${task}`;
  return {
    title,
    repo: REPO,
    branch,
    claims: { write: [...files] },
    implement: [{ handler: 'work', input: { task, ms } }],
  };
}

/** The system. */
export const signalbox: System = { title: 'Signalbox', openWorker, openProducer };
