/** Implement: the task's steps in order, then one commit of all that they left behind. */

import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { applyPatch } from '../../git/check-out.ts';
import { snapshot } from '../../git/snapshot.ts';
import { defaultMessage } from '../../task/message.ts';
import type { Ending } from '../ending.ts';
import type { Phase, Run } from '../run.ts';
import { checkNames } from '../secret-names.ts';
import { runStep } from '../step.ts';
import { judgeUndeclared } from '../undeclared.ts';
import { ensureCheckout } from './prepare.ts';

/** Takes over what an earlier run had done when it had to give up its claim, or else does the work. */
export const implement: Phase = async (run) => {
  run.tookOver = await takeOver(run);
  return run.tookOver ? await finish(run) : await doTheWork(run);
};

/** Runs the steps until one fails. Commits that steps made are kept; the rest is committed on top of them. */
export async function doTheWork(run: Run): Promise<Ending | undefined> {
  for (const step of run.task.implement) {
    const ending = await runStep(run, step, 'implement_failed');
    if (ending !== undefined) return ending;
  }
  return await finish(run);
}

async function finish(run: Run): Promise<Ending | undefined> {
  await commit(run);
  run.isImplemented = true;
  return judgeUndeclared(run);
}

/** Puts an earlier run's work into the checkout, if it is on this host and still applies. */
async function takeOver(run: Run): Promise<boolean> {
  const { record, services, signal } = run;
  if (record.resume === null) return false;
  const file = join(services.config.dataDir, record.resume);
  const isHere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isHere) return false;
  const { workspace } = await ensureCheckout(run);
  return await applyPatch(services.git, { dir: workspace.dir, file, signal });
}

async function commit(run: Run): Promise<void> {
  const made = await run.madeCheckout();
  if (made === undefined) return;
  const { task, record, number, signal, services } = run;
  const result = await snapshot(services.git, {
    dir: made.workspace.dir,
    message: task.message ?? defaultMessage(task, record.id),
    trailers: { 'Signalbox-Task': record.id, 'Signalbox-Run': String(number) },
    signal,
  });
  checkNames(result.filesChanged, Object.values(run.secrets));
  run.result = result;
}
