/** The checks of `doctor` beside those of Redis: this machine, its tools, the remote, the fleet. */

import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import type { Config } from '../../config/config.ts';
import { processSources } from '../../config/process.ts';
import { upwards } from '../../config/up-file.ts';
import { probeFence } from '../../git/fence-probe.ts';
import type { Git } from '../../git/git.ts';
import { checkRemote, resolveRepository } from '../../git/identity.ts';
import type { TaskQueue } from '../../queue/task-queue.ts';
import type { Finding } from '../../redis/health.ts';
import { registeredWorkers } from '../../runner/registry.ts';
import type { Controller } from '../../runner/supervisor/cgroup-homes.ts';
import { type Isolation, startSupervisor } from '../../runner/supervisor/client.ts';
import { inForce } from '../../runner/supervisor/isolation.ts';
import { readError } from '../errors.ts';
import { bytesText, countText } from '../format.ts';

/** The oldest git that has all options in use. */
const LEAST_GIT = [2, 38] as const;
const LOW_DISK_BYTES = 2 ** 30;

/** git: there, and new enough. */
export async function gitCheck(git: Git): Promise<Finding> {
  const next = `Install git ${LEAST_GIT.join('.')} or newer.`;
  try {
    const { stdout } = await git(['--version']);
    const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    const ok = Number(major) > LEAST_GIT[0] || (Number(major) === LEAST_GIT[0] && Number(minor) >= LEAST_GIT[1]);
    const message = `${stdout.trim()}${ok ? '' : ` is older than ${LEAST_GIT.join('.')}`}`;
    return { name: 'git', ok, level: 'error', message, next: ok ? '' : next };
  } catch (error) {
    return { name: 'git', ok: false, level: 'error', message: readError(error).message, next };
  }
}

/** The data folder: may be written to, and has room. */
export async function diskChecks(dataDir: string): Promise<Finding[]> {
  // It may not be there yet, and asking is no reason to make it.
  const place = upwards(dataDir).find((folder) => existsSync(folder)) ?? '/';
  try {
    await access(place, constants.W_OK);
  } catch (error) {
    const message = `${dataDir} cannot be written to: ${(error as Error).message}`;
    const next = 'Choose another folder with SIGNALBOX_DATA, or correct its permissions.';
    return [{ name: 'data-folder', ok: false, level: 'error', message, next }];
  }
  const { bavail, bsize } = await statfs(place);
  const free = bavail * bsize;
  const ok = free >= LOW_DISK_BYTES;
  return [
    { name: 'data-folder', ok: true, level: 'error', message: `${dataDir} can be written to`, next: '' },
    {
      name: 'disk',
      ok,
      level: 'warn',
      message: `${bytesText(free)} are free there`,
      next: ok ? '' : 'Make room; `signalbox prune` removes what dead runners have left.',
    },
  ];
}

/** The wall that steps on this machine get, tried out. */
export async function isolationCheck(config: Readonly<Config>): Promise<Finding> {
  const { env } = processSources();
  try {
    const supervisor = await startSupervisor({ env, answerMs: config.answerMs });
    const { isolation } = supervisor;
    await supervisor.stop();
    const ok = isolation.level === 'pidns';
    const next = ok ? '' : 'Allow user namespaces, or run workers as root, so that steps get a pid namespace.';
    return {
      name: 'isolation',
      ok,
      level: 'warn',
      message: `${inForce(isolation)}: ${isolation.detail}; ${limitsText(config, isolation)}`,
      next,
    };
  } catch (error) {
    const { message, next } = readError(error);
    return { name: 'isolation', ok: false, level: 'error', message, next };
  }
}

/** The limits of steps, and how those that are set are kept. */
function limitsText(config: Readonly<Config>, { cgroup }: Isolation): string {
  const { memoryLimitBytes: memory, processLimit: processes, diskLimitBytes: disk, logLimitBytes } = config;
  const by = (controller: Controller): string =>
    cgroup?.controllers.includes(controller) ? 'by its cgroup' : 'measured';
  const limits = [
    memory === undefined ? [] : `memory ${bytesText(memory)} (${by('memory')})`,
    processes === undefined ? [] : `processes ${processes} (${by('pids')})`,
    disk === undefined ? [] : `disk ${bytesText(disk)} (measured)`,
    `output ${bytesText(logLimitBytes)}`,
  ];
  return `limits of a step: ${limits.flat().join(', ')}`;
}

/** A remote: can be reached with this user's credentials, and can fence runs. */
export async function remoteChecks(git: Git, repo: string): Promise<Finding[]> {
  try {
    const { url, hostBound } = await resolveRepository(git, repo, processSources().cwd);
    await checkRemote(git, url);
    const where = hostBound ? `${url}: only workers on this host can run its tasks` : url;
    const answers: Finding = { name: 'remote', ok: true, level: 'error', message: `answers: ${where}`, next: '' };
    return [answers, await fenceCheck(git, url)];
  } catch (error) {
    const { message, next } = readError(error);
    return [{ name: 'remote', ok: false, level: 'error', message, next }];
  }
}

async function fenceCheck(git: Git, url: string): Promise<Finding> {
  const answer = await probeFence(git, url);
  const finding = { name: 'remote-fence', ok: answer.kind === 'able', level: 'warn' } as const;
  if (answer.kind === 'able')
    return { ...finding, message: 'it keeps ledgers: no superseded run can publish', next: '' };
  if (answer.kind === 'refused') {
    const message = `it keeps no ledgers (${answer.why}): only a branch’s own lease keeps a superseded run from publishing`;
    const next =
      'Allow pushes to refs/signalbox/* and atomic pushes there; docs/guarantees.md says what is lost without.';
    return { ...finding, message, next };
  }
  const message = `whether it keeps ledgers could not be found out: ${answer.why}`;
  return { ...finding, message, next: 'Make sure that this user may push to it; workers must.' };
}

/** Workers: some are alive. */
export async function workersCheck({ redis, keys }: TaskQueue): Promise<Finding> {
  const workers = await registeredWorkers(redis, keys);
  const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
  const ok = workers.length > 0;
  return {
    name: 'workers',
    ok,
    level: 'warn',
    message: ok
      ? `${countText(workers.length, 'worker')}, up to ${countText(slots, 'task')} at a time`
      : 'no worker is running',
    next: ok ? '' : 'Start one with `signalbox worker`, or all with `signalbox up`.',
  };
}

/** How long what a dead worker held stays held: the formula, with this configuration's numbers. */
export function recoveryNote({ overdueMs, leaseTtlMs, marginMs, reapEveryMs, recoveryMs }: Readonly<Config>): Finding {
  const [overdue, ttl, margin, look] = [overdueMs, leaseTtlMs, marginMs, reapEveryMs].map((ms) => `${ms / 1_000} s`);
  const formula = `overdue after ${overdue} + (TTL ${ttl} − margin ${margin}) + 2.5 looks of the reaper, one each ${look}`;
  const message = `when a worker dies, its tasks run again within ${recoveryMs / 1_000} s: ${formula}`;
  return { name: 'recovery', ok: true, level: 'info', message, next: '' };
}
