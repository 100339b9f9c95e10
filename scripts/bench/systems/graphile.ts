/**
 * graphile-worker: one key a task, the name of a serial queue, here the task's branch. Idle slots look for work every
 * few ms, since nobody is told when a queue comes free. PostgreSQL commits without waiting for the disk, which is what
 * Redis with its file synced every second does, too.
 */

import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import type { Note } from '../stats.ts';
import { type BenchWorker, type Place, type Producer, type System, work } from './system.ts';

/** How often an idle slot looks. Its default of 2 s would be most of the makespan here. */
const POLL_MS = 10;

const logger = new Logger(() => () => {});

function optionsOf({ postgresUrl, queue }: Place) {
  if (postgresUrl === undefined) throw new Error('graphile-worker needs a PostgreSQL');
  return { connectionString: postgresUrl, schema: queue.replaceAll('-', '_'), logger };
}

async function openWorker(place: Place): Promise<BenchWorker> {
  const notes: Note[] = [];
  const runner = await run({
    ...optionsOf(place),
    concurrency: place.concurrency,
    maxPoolSize: place.concurrency + 2,
    pollInterval: POLL_MS,
    noHandleSignals: true,
    taskList: { work: async (data) => await work(notes, data as { task: number; ms: number }) },
  });
  return {
    close: async () => {
      await runner.stop();
      return { notes, blocked: 0, deadManFired: 0 };
    },
  };
}

async function openProducer(place: Place): Promise<Producer> {
  const options = optionsOf(place);
  const utils = await makeWorkerUtils(options);
  await utils.migrate();
  let added = 0;
  return {
    pause: async () => {},
    resume: async () => {},
    add: async (tasks, first) => {
      added += tasks.length;
      await utils.addJobs(
        tasks.map(({ branch, ms }, i) => ({
          identifier: 'work',
          payload: { task: first + i, ms },
          queueName: branch,
          maxAttempts: 1,
        })),
      );
    },
    // What has ended is taken out of the table.
    finished: async () =>
      await utils.withPgClient(async (client) => {
        const counts = 'count(*)::int as left, count(last_error)::int as failed';
        const { rows } = await client.query<{ left: number; failed: number }>(
          `select ${counts} from ${options.schema}.jobs`,
        );
        const [row = { left: 0, failed: 0 }] = rows;
        if (row.failed > 0) throw new Error(`${row.failed} jobs failed`);
        return added - row.left;
      }),
    close: async () => {
      await utils.withPgClient(async (client) => await client.query(`drop schema ${options.schema} cascade`));
      await utils.release();
    },
  };
}

/** graphile-worker with the branch as serial queue. */
export const graphileWorker: System = { title: 'graphile-worker', opensLate: true, openWorker, openProducer };
