/** Prepare: the run's own checkout, proven before anything runs in it, and the secrets that the task names. */

import { SignalboxError } from '../../errors.ts';
import type { Mirror } from '../../git/mirror.ts';
import { guessStart, resolveStart, type StartPoint } from '../../git/start-point.ts';
import {
  checkOutFiles,
  createWorkspace,
  nameRefs,
  proveClean,
  provePlace,
  proveWorkspace,
  type Workspace,
  type WorkspaceRequest,
} from '../../git/workspace.ts';
import { removeWorkspace } from '../../git/workspaces.ts';
import { normalizeClaimPath } from '../../task/paths.ts';
import type { Task } from '../../task/task.ts';
import { baseOf } from '../base.ts';
import type { Checkout } from '../checkout.ts';
import { takeFence } from '../fence.ts';
import type { Phase, Run } from '../run.ts';
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
    const mirror = await services.mirrors.open({ key: record.repoKey, url: record.repo }, signal);
    const request = {
      mirror,
      dir: paths.workspace,
      branch: record.branch,
      checkout: task.checkout,
      cone: coneOf(task),
      signal,
    };
    const [start, ahead] = await both(readStart(run, mirror), checkOutAhead(run, request));
    const workspace = await workspaceAt({ ...request, startOid: start.startOid }, ahead);
    const isolation = runsCommands(task) ? inForce((await services.supervisor()).isolation) : null;
    run.progress.write({ workspace: workspace.dir, isolation });
    return { mirror, start, workspace };
  });
}

type Ahead = Omit<WorkspaceRequest, 'startOid'>;

/**
 * Writes the files, and proves them, while the remote is asked, by what the mirror knew before: mostly that is right
 * still. What it does not come to shall be done in its turn, and fail there if it must. Never rejects. A spare checkout is
 * used up, and the next one begun.
 */
async function checkOutAhead({ record, services }: Run, request: Ahead): Promise<Workspace | undefined> {
  const { mirror } = request;
  try {
    const base = await baseOf(record, services.queue.store);
    const startOid = await guessStart(mirror, { branch: request.branch, base: base?.name });
    if (startOid === undefined) return undefined;
    await using spare = request.checkout === 'full' ? await services.spares.take(mirror, request.signal) : undefined;
    const startedAt = performance.now();
    const workspace = await checkOutFiles({ ...request, startOid }, spare?.workspace);
    const tookMs = performance.now() - startedAt;
    await proveClean(mirror, workspace);
    if (request.checkout === 'full') services.spares.ready(mirror, { oid: startOid, tookMs });
    return workspace;
  } catch {
    return undefined;
  }
}

/** The workspace at the start that was read, proven: what was made ahead of it if that is the one, else made anew. */
async function workspaceAt(request: WorkspaceRequest, ahead: Workspace | undefined): Promise<Workspace> {
  if (ahead?.startOid === request.startOid) {
    await nameRefs(request.mirror, ahead);
    await provePlace(ahead);
    return ahead;
  }
  await removeWorkspace(request.dir);
  const workspace = await createWorkspace(request);
  await proveWorkspace(request.mirror, workspace);
  return workspace;
}

/** Waits for the end of both, also when the first fails: nothing shall write into a run's folder once its phase is over. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** The run's token first, so that the tip which is read after it can be moved by no earlier run any more. */
async function readStart(run: Run, mirror: Mirror): Promise<StartPoint> {
  const { publish } = run.task;
  if (publish === 'push' || publish === 'land') await takeFence(run, mirror);
  return await startOf(run, mirror);
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
