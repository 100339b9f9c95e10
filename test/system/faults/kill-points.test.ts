import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { PushTrap } from '../../support/system/push-trap.ts';
import { Random } from '../../support/system/random.ts';
import { SshLine } from '../../support/system/ssh-line.ts';
import { until } from '../../support/system/until.ts';
import type { WorkerProcess } from '../../support/system/worker-process.ts';
import { systemTest, type TestTask, type World } from '../../support/system/world.ts';

/** More of them: `SIGNALBOX_SEEDS=5 npx vitest run test/system/faults/kill-points.test.ts`. */
const SEEDS = Array.from({ length: Number(process.env['SIGNALBOX_SEEDS'] ?? 1) }, (_, i) => i + 1);
const options = { leaseTtl: '2000ms' };
/** Deaths of a worker are counted against all that it runs; none of these is to blame. */
const attempts = 20;

/** Every step of run-task.ts, by the event that tells of it, in their order. */
const POINTS = [
  'claim.acquired',
  'task.started',
  'phase.started:prepare',
  'fence.taken',
  'phase.finished:prepare',
  'step.started:edit',
  'step.finished:edit',
  'phase.finished:implement',
  'step.finished:check',
  'phase.finished:test',
  'phase.started:publish',
  'publish.published',
  'phase.finished:publish',
  'phase.started:archive',
  'phase.finished:archive',
  'claim.released',
  'task.finished',
];
const POINTS_A_WORLD = 9;

/** What waits and what goes back, told by its events. */
const SIDINGS = ['task.blocked', 'task.granted', 'claim.grown', 'task.retrying'];

interface Doomed {
  readonly point: string;
  /** How long it lives on after its point. */
  readonly afterMs: number;
  readonly worker: WorkerProcess;
}

async function startDoomed(
  world: World,
  points: readonly string[],
  { concurrency, afterMs }: { readonly concurrency: number; readonly afterMs: () => number },
): Promise<Doomed[]> {
  return await Promise.all(
    points.map(async (point) => {
      const after = afterMs();
      const env = { KILL_AT: point, KILL_AFTER_MS: String(after) };
      const [worker] = await world.startWorkers(1, { concurrency, env });
      if (worker === undefined) throw new Error('no worker was started');
      return { point, afterMs: after, worker };
    }),
  );
}

/** It died by its own hand, and what it said last was the point, unless it was to live on for a moment. */
async function expectDied({ point, afterMs, worker }: Doomed): Promise<void> {
  await worker.died();
  const [, type, value] = /^([^:]+)(?::(.*))?$/.exec(point) ?? [];
  const said = await until(`${point} is in its log`, () => worker.events(type).at(-1));
  if (value !== undefined) expect(worker.events(type).flatMap(Object.values)).toContain(value);
  if (afterMs === 0) expect(worker.events().at(-1), point).toEqual(said);
}

/** How often a task's worker died while it held the task's claim, by what the workers have said. */
function deathsWith(taskId: string, doomed: readonly Doomed[]): number {
  return doomed.filter(({ worker }) => {
    const last = worker.events('claim.acquired').findLast((event) => event['taskId'] === taskId);
    return last !== undefined && !worker.has('claim.released', { runnerId: last['runnerId'] });
  }).length;
}

/** A task that comes by every point; its content tells which run made it. */
function taskOf(i: number, publish: 'push' | 'land'): TestTask {
  return {
    branch: `task/${i}`,
    publish,
    attempts,
    claims: { write: [`run-${i}.txt`] },
    implement: [{ name: 'edit', run: `echo "$SIGNALBOX_RUN" > run-${i}.txt` }],
    test: [{ name: 'check', run: `test -s run-${i}.txt` }],
  };
}

describe.each(SEEDS)('workers killed at each step of a run, seed %i', (seed) => {
  const random = new Random(seed);
  const points = random.some(POINTS, POINTS.length);
  // The first seed dies exactly at each point, the others here and there in between as well.
  const afterMs = (): number => (seed === 1 || random.below(2) === 0 ? 0 : random.below(40));
  for (let first = 0; first < points.length; first += POINTS_A_WORLD) {
    const some = points.slice(first, first + POINTS_A_WORLD);
    systemTest(
      `leave each task with one publication and nothing behind: ${some.join(', ')}`,
      async (world) => {
        const remote = world.remote();
        const doomed = await startDoomed(world, some, { concurrency: 1, afterMs });
        const ids = await world.submitAll(
          some.map((_point, i) => taskOf(i, (first + i + seed) % 3 === 0 ? 'land' : 'push')),
        );
        await Promise.all(doomed.map(expectDied));
        await world.startWorkers(2);
        for (const [i, id] of ids.entries()) {
          const task = await world.ended(id);
          expect(task).toMatchObject({ state: 'succeeded', attempts: 1 });
          if (doomed.every((one) => one.afterMs === 0)) expect(task.crashes).toBe(deathsWith(id, doomed));
          const published = remote.published().filter(({ taskId }) => taskId === id);
          expect(published).toMatchObject([{ oid: task.commit }]);
          expect(remote.show(`task/${i}`, `run-${i}.txt`)).toBe(`${published[0]?.run}\n`);
        }
      },
      options,
    );
  }

  systemTest(
    'leave what waits and what goes back to others, wherever they die',
    async (world) => {
      world.remote();
      const marks = world.gate('failed');
      const doomed = await startDoomed(world, SIDINGS, { concurrency: 2, afterMs });
      let fed = 0;
      const allDied = async (): Promise<boolean> => {
        if (doomed.every(({ worker }) => !worker.isAlive)) return true;
        const { queued, blocked } = await world.client.status();
        if (queued + blocked === 0) {
          fed += 1;
          await world.submitAll([
            ...['one', 'two', 'three'].map((name) => ({
              branch: `task/shared-${fed}`,
              attempts,
              implement: [`echo "$SIGNALBOX_RUN" > ${name}.txt; sleep 0.2`],
            })),
            {
              branch: `task/fails-once-${fed}`,
              attempts,
              implement: [
                `echo ${fed} > undeclared-${fed}.txt`,
                `[ -e '${marks}-${fed}' ] || { touch '${marks}-${fed}'; exit 1; }`,
              ],
            },
          ]);
        }
        return false;
      };
      // As many rounds as it takes until each has come by its point.
      await until('all of them have died', allDied, 120_000);
      await Promise.all(doomed.map(expectDied));
      await world.startWorkers(2);
      await world.drained();
      for (const id of world.ledger.keys()) expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
    },
    options,
  );
});

describe('a reaper that is killed right after it has reaped', () => {
  systemTest(
    'leaves the one whom it has served to be woken by another worker',
    async (world) => {
      world.remote();
      const [victim] = await world.startWorkers(1);
      const branch = 'task/reaped';
      const held = await world.submit({ branch, implement: [world.stamps.workUntil(world.gate('go'))] });
      await world.working(held);
      const waiting = await world.submit({ branch, implement: [world.stamps.workFor(10)] });
      await world.reached(waiting, 'blocked');
      const doomed = await startDoomed(world, ['claim.reaped'], { concurrency: 1, afterMs: () => 0 });
      await victim?.kill();
      await Promise.all(doomed.map(expectDied));
      world.openGate('go');
      await world.startWorkers(1);
      expect(await world.ended(held)).toMatchObject({ state: 'succeeded', crashes: 1, attempts: 1 });
      expect(await world.ended(waiting)).toMatchObject({ state: 'succeeded', runs: 1 });
    },
    options,
  );
});

describe('a worker that is killed while its git talks to the remote', () => {
  systemTest(
    'after the refs have moved and before the answer: the publication is found, and its steps do not run again',
    async (world) => {
      const remote = world.remote();
      const trap = new PushTrap(remote);
      trap.arm('post-receive', 'hold');
      const [worker] = await world.startWorkers(1);
      const branch = 'task/push';
      const id = await world.submit({ branch, implement: ['echo "$SIGNALBOX_RUN" > run.txt'] });
      await until('the push is held', () => trap.holds);
      const landed = remote.tip(branch);
      expect(landed).toBeDefined();
      await worker?.kill();
      trap.release();
      await world.startWorkers(1);
      const ended = await world.ended(id);
      expect(ended).toMatchObject({ state: 'succeeded', runs: 2, crashes: 1, commit: landed });
      expect(ended.phases.map(({ name }) => name)).toEqual(['prepare', 'archive']);
      expect(remote.published().map(({ run }) => run)).toEqual(['1']);
    },
    options,
  );

  systemTest(
    'in the middle of a fetch: the mirror can be used by the next run',
    async (world) => {
      const remote = world.remote();
      const line = new SshLine(join(world.dir, 'ssh'));
      const [worker] = await world.startWorkers(1, { env: line.env });
      line.treat('hang');
      const branch = 'task/fetch';
      const repo = SshLine.address(remote);
      const id = await world.submit({ repo, branch, implement: ['echo "$SIGNALBOX_RUN" > run.txt'] });
      await until('its git hangs', () => line.met.includes('hang git-upload-pack'));
      await worker?.kill();
      await world.startWorkers(1, { env: line.env });
      line.treat('pass');
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, crashes: 1, attempts: 1 });
      expect(remote.show(branch, 'run.txt')).toBe('2\n');
    },
    options,
  );
});
