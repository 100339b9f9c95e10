/**
 * The life of a task in a worker, one line a step:
 *
 *   take → claim → prepare → implement → test → publish → archive → release → serve the line
 *
 * Nothing is done before the claim is held, nothing of the task runs when it is given back, and whoever waits for what
 * it held is served in the same step that frees it.
 */

import type { Disposition, TakenJob } from '../queue/consumer.ts';
import { claimTask } from './claim-task.ts';
import { archive } from './phases/archive.ts';
import { implement } from './phases/implement.ts';
import { prepare } from './phases/prepare.ts';
import { publish } from './phases/publish.ts';
import { test } from './phases/test.ts';
import { openRun } from './run.ts';
import type { Services } from './services.ts';
import { settle } from './settle.ts';
import { take } from './take.ts';

/** Runs the task of a job; answers what becomes of the job. Rejects only if Redis cannot be written to. */
export async function runTask(job: TakenJob, services: Services): Promise<Disposition> {
  const taken = await take(job, services);
  if (taken.kind === 'disposed') return taken.disposition;
  using _place = await services.solitude.enter(taken.suspect);

  const claimed = await claimTask(taken, services);
  if (claimed.kind === 'disposed') return claimed.disposition;
  await using run = openRun(taken, claimed, services);

  const ending =
    (await run.phase('prepare', prepare)) ??
    (await run.phase('implement', implement)) ??
    (await run.phase('test', test)) ??
    (await run.phase('publish', publish));
  await run.stopProcesses();
  await run.phase('archive', archive);

  return await settle(run, ending ?? { kind: 'succeeded' });
}
