/** Prepare: the run's own checkout, proven before anything runs in it, and the secrets that the task names. */

import { SignalboxError } from '../../errors.ts';
import type { Mirror } from '../../git/mirror.ts';
import { resolveStart, type StartPoint } from '../../git/start-point.ts';
import { createWorkspace, proveWorkspace } from '../../git/workspace.ts';
import { normalizeClaimPath } from '../../task/paths.ts';
import type { Task } from '../../task/task.ts';
import { baseOf } from '../base.ts';
import { takeFence } from '../fence.ts';
import type { Checkout, Phase, Run } from '../run.ts';
import { readSecrets } from '../secrets.ts';
import { inForce } from '../supervisor/isolation.ts';

/** Makes the checkout now if a step needs it; a task of handlers alone gets it when it asks. */
export const prepare: Phase = async (run) => {
  run.secrets = await readSecrets(run.task.secrets, run.services);
  if (!runsCommands(run.task)) return 'skipped';
  await ensureCheckout(run);
  return undefined;
};

/**
 * The run's checkout, made at the first call. The fence comes before it, so that the branch's tip is read after it.
 * Throws what makes the run fail: no remote, no base, no disk; or what ends it, because the task is published already.
 */
export function ensureCheckout(run: Run): Promise<Checkout> {
  return run.checkout(async () => {
    const { record, task, services, signal, paths } = run;
    checkHost(run);
    const mirror = await services.mirrors.open({ key: record.repoKey, url: record.repoUrl }, signal);
    if (task.publish === 'push' || task.publish === 'land') await takeFence(run, mirror);
    const start = await startOf(run, mirror);
    const workspace = await createWorkspace({
      mirror,
      dir: paths.workspace,
      startOid: start.startOid,
      branch: record.branch,
      checkout: task.checkout,
      cone: coneOf(task),
      signal,
    });
    await proveWorkspace(mirror, workspace);
    const isolation = runsCommands(task) ? inForce((await services.supervisor()).isolation) : null;
    run.progress.write({ workspace: workspace.dir, isolation });
    return { mirror, start, workspace };
  });
}

/** The tip of its branch, else of its base; another task's result may be merged and its branch gone. */
async function startOf(run: Run, mirror: Mirror): Promise<StartPoint> {
  const { record, services, signal } = run;
  const { branch } = record;
  const base = await baseOf(record, services.queue.store);
  run.baseName = base?.name ?? null;
  try {
    return await resolveStart(mirror, { branch, base: base?.name, signal });
  } catch (error) {
    if (base?.commit === undefined || signal.aborted) throw error;
    return await resolveStart(mirror, { branch, base: base.commit, signal });
  }
}

function runsCommands(task: Task): boolean {
  return task.test === 'auto' || [...task.implement, ...task.test].some(({ command }) => command.kind !== 'handler');
}

function coneOf(task: Task): string[] {
  return [...task.claims.write, ...task.claims.read, ...task.include].map((path) => normalizeClaimPath(path).shown);
}

function checkHost({ record, services }: Run): void {
  if (record.repoHost === null || record.repoHost === services.host) return;
  throw new SignalboxError(
    'INVALID',
    `The repository ${record.repo} is a folder of host ${record.repoHost}, and this worker is on ${services.host}.`,
    {
      field: 'repo',
      next: `Run a worker on ${record.repoHost}, or give the address of a remote that all workers can reach.`,
    },
  );
}
