/** Recovery: how long the tasks of a killed worker stand still, and what that costs the fleet. */

import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Signalbox } from '../../../src/client/signalbox.ts';
import type { Bench } from '../bench.ts';
import { NO_FAULTS } from '../faults.ts';
import { atMost, type Question } from '../question.ts';
import { startWorkers } from '../real-workers.ts';
import { makeRemote } from '../remote.ts';
import { type Spread, shown, spread } from '../stats.ts';

/** More slots than there are tasks, so that there is room for what comes back. */
const FLEET = { workers: 6, concurrency: 2 };
const TASKS = 6;
const KILLS = 3;
const KILL_EVERY_MS = 400;
const STEP_SECONDS = 120;
const LEASES = [
  { leaseTtl: '10s', name: 'default (10 s)', goalS: 20 },
  { leaseTtl: '2s', name: '2 s', goalS: 4 },
];
const GIVE_UP_MS = 60_000;

interface LeaseFigures {
  readonly name: string;
  readonly goalS: number;
  readonly killed: number;
  readonly recoveryS: Spread;
  /** The share of the fleet's slots that stood idle from the first kill to the last start. */
  readonly lost: number;
}

/** A start of a task's step, by the step itself. */
interface Stamp {
  readonly id: string;
  readonly atMs: number;
}

/** Real workers with long steps, some of them killed one after the other. */
export const recovery: Question = {
  name: 'recovery',
  asks: 'How long after kill -9 of a worker do its tasks start again, and how many slots stand idle meanwhile?',
  run: async (bench) => {
    const remote = join(bench.parts.sandbox.dir, 'recovery.git');
    makeRemote(remote, 20);
    // They mostly wait: side by side they do not disturb each other.
    const figures = await Promise.all(LEASES.map(async (lease) => await killSome(bench, remote, lease)));
    return {
      figures,
      tables: [
        {
          title: `From kill -9 to the next start of its task; ${KILLS} of ${FLEET.workers} workers, ${KILL_EVERY_MS} ms apart; once`,
          head: ['lease', 'tasks cut off', 'recovered after', 'slots lost meanwhile'],
          rows: figures.map(({ name, killed, recoveryS, lost }) => [
            name,
            killed,
            `${shown(recoveryS, 1)} s`,
            `${(100 * lost).toFixed(0)} %`,
          ]),
          notes: [
            `Of ${TASKS} slots that the fleet may use at once (max_parallel_runners): from the first kill to the last start.`,
          ],
        },
      ],
      plots: [],
      targets: figures.map(({ name, goalS, recoveryS }) =>
        atMost(goalS, `recovery, lease ${name}: the slowest`, { value: recoveryS.max, unit: 's' }),
      ),
      faults: NO_FAULTS,
    };
  },
};

async function killSome(bench: Bench, remote: string, lease: (typeof LEASES)[number]): Promise<LeaseFigures> {
  const { sandbox, signal } = bench.parts;
  const dataDir = join(sandbox.dir, `recovery-${lease.leaseTtl}`);
  await mkdir(dataDir, { recursive: true });
  const log = join(dataDir, 'starts');
  await appendFile(log, '');
  const options = { redisUrl: sandbox.redisUrl, queue: `recovery-${lease.leaseTtl}`, dataDir };
  await using box = await Signalbox.connect(options);
  await box.setLimit('max_parallel_runners', TASKS);
  const programs = await startWorkers(sandbox, box, { ...FLEET, count: FLEET.workers, leaseTtl: lease.leaseTtl });
  try {
    const run = `echo "$SIGNALBOX_TASK_ID $(date +%s%3N)" >> '${log}'; sleep ${STEP_SECONDS}`;
    const tasks = Array.from({ length: TASKS }, (_, i) => ({
      title: `long ${i}`,
      repo: remote,
      branch: `long-${i}`,
      claims: { write: [`long-${i}/**`] },
      implement: [{ run }],
      publish: 'none' as const,
    }));
    await box.submit(tasks);
    const starts = async () => await stampsOf(log);
    await until(signal, async () => (await starts()).length >= TASKS);
    const cutOff: Stamp[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      cutOff.push(...(await killOne(box, cutOff)));
      await delay(KILL_EVERY_MS);
    }
    const restart = (cut: Stamp, stamps: readonly Stamp[]) =>
      stamps.find(({ id, atMs }) => id === cut.id && atMs > cut.atMs)?.atMs;
    await until(signal, async () => {
      const stamps = await starts();
      return cutOff.every((cut) => restart(cut, stamps) !== undefined);
    });
    const stamps = await starts();
    const took = cutOff.map((cut) => ((restart(cut, stamps) ?? Number.NaN) - cut.atMs) / 1_000);
    bench.say(`lease ${lease.name}: ${took.map((s) => s.toFixed(1)).join(', ')} s`);
    return { ...lease, killed: cutOff.length, recoveryS: spread(took), lost: idleShare(cutOff, stamps) };
  } finally {
    // Their steps end with them.
    for (const { child } of programs) child.kill('SIGKILL');
    await Promise.all(programs.map(({ exited }) => exited));
  }
}

/** Kills a worker that runs something, and says which tasks that cut off, and when. */
async function killOne(box: Signalbox, before: readonly Stamp[]): Promise<Stamp[]> {
  const { workers, runners } = await box.status();
  const done = new Set(before.map(({ id }) => id));
  const running = runners.find(({ taskId, phase }) => taskId !== null && !done.has(taskId) && phase === 'implement');
  const victim = workers.find(({ id }) => id === running?.workerId);
  if (victim === undefined) throw new Error('no worker runs anything');
  process.kill(victim.pid, 'SIGKILL');
  const atMs = Date.now();
  return runners.flatMap(({ taskId, workerId }) =>
    workerId === victim.id && taskId !== null ? [{ id: taskId, atMs }] : [],
  );
}

/** Of all slots from the first kill to the last start of what was cut off: the share in which nothing ran. */
export function idleShare(cutOff: readonly Stamp[], starts: readonly Stamp[]): number {
  const from = Math.min(...cutOff.map(({ atMs }) => atMs));
  const later = starts.filter(({ atMs }) => atMs > from);
  const to = Math.max(...later.map(({ atMs }) => atMs));
  const changes = [...cutOff.map(({ atMs }) => ({ atMs, by: 1 })), ...later.map(({ atMs }) => ({ atMs, by: -1 }))];
  const idleMs = changes.reduce((sum, { atMs, by }) => sum + by * (to - atMs), 0);
  return idleMs / (TASKS * (to - from));
}

async function stampsOf(file: string): Promise<Stamp[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => ({ id: line.split(' ')[0] ?? '', atMs: Number(line.split(' ')[1]) }));
}

async function until(signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  while (!(await isSo())) {
    signal.throwIfAborted();
    if (performance.now() > end) throw new Error(`nothing happened for ${GIVE_UP_MS / 1_000} s`);
    await delay(50);
  }
}
