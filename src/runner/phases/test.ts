/** Test: the task's test steps on the committed work. What fails here publishes nothing. */

import { checkOut } from '../../git/check-out.ts';
import type { Ending } from '../ending.ts';
import type { Phase, Run } from '../run.ts';
import { runStep } from '../step.ts';
import { findTests } from './find-tests.ts';
import { doTheWork } from './implement.ts';
import { ensureCheckout } from './prepare.ts';

/** Tests the work. What was taken over from an earlier run and fails here is done again from the start. */
export const test: Phase = async (run) => {
  const ending = await runTests(run);
  if (!run.tookOver || ending === undefined || ending === 'skipped' || ending.kind !== 'failed') return ending;
  const { mirror, workspace, start } = await ensureCheckout(run);
  const { startOid } = start;
  await checkOut(mirror, { dir: workspace.dir, commit: startOid, startOid, signal: run.signal });
  run.tookOver = false;
  return (await doTheWork(run)) ?? (await runTests(run));
};

/** Runs the test steps; all of them when `failFast` is off, and then names every one that failed. */
export async function runTests(run: Run): Promise<Ending | 'skipped' | undefined> {
  const made = await run.madeCheckout();
  // Nothing changed in a checkout: there is nothing to test or publish.
  if (made !== undefined && run.result.commit === null) return 'skipped';
  const { test: declared, failFast } = run.task;
  const steps = declared !== 'auto' ? declared : made === undefined ? [] : await findTests(made.workspace.dir);
  if (steps.length === 0) return 'skipped';
  const failures: Extract<Ending, { kind: 'failed' }>[] = [];
  for (const step of steps) {
    const ending = await runStep(run, step, 'test_failed');
    if (ending?.kind !== 'failed') {
      if (ending !== undefined) return ending;
      continue;
    }
    failures.push(ending);
    if (failFast) break;
  }
  const [first] = failures;
  return first === undefined ? undefined : { ...first, message: failures.map(({ message }) => message).join('; ') };
}
