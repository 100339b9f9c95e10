/** Nothing of a task outlives its claim, whichever of its worker and its supervisor is killed, stopped or hung. */

import { describe, expect, onTestFinished } from 'vitest';
import { checkRest } from '../../support/system/invariants.ts';
import { commandsWith, forkServerOf, isStopped, processesOf, supervisorOf } from '../../support/system/processes.ts';
import { PushTrap } from '../../support/system/push-trap.ts';
import { until } from '../../support/system/until.ts';
import type { WorkerProcess } from '../../support/system/worker-process.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const LEASE_MS = 2_000;
const options = { leaseTtl: `${LEASE_MS}ms` };

/** A step that leaves daemons, one without session, parent or environment, and works until the gate `go` is open. */
function spreading(world: World, token: string): string {
  const idle = `sh -c "while :; do sleep 1; done" ${token}-$SIGNALBOX_RUN`;
  return [
    `(setsid ${idle} >/dev/null 2>&1 &)`,
    `(env -i PATH="$PATH" setsid ${idle} >/dev/null 2>&1 &)`,
    `echo "$SIGNALBOX_RUN" > run.txt`,
    world.stamps.workUntil(world.gate('go')),
  ].join('\n');
}

/** Waits until a run is at work with its daemons; answers its worker and the supervisor of that. */
async function spread(
  world: World,
  id: string,
  { token, run }: { readonly token: string; readonly run: number },
): Promise<{ worker: WorkerProcess; supervisor: number }> {
  await world.working(id, run);
  const worker = await until('its worker is known', async () => await world.workerOf(id).catch(() => undefined));
  await until('its daemons are there', () => commandsWith(`${token}-${run}`).length >= 2);
  const supervisor = await until('its supervisor is there', () => supervisorOf(worker.pid));
  onTestFinished(() => {
    if (isStopped(supervisor)) process.kill(supervisor, 'SIGKILL');
  });
  return { worker, supervisor };
}

/** Waits until nothing of one run lives, while its worker is what it is. */
async function allDead(world: World, id: string, { token, run }: { readonly token: string; readonly run: number }) {
  await until(`nothing of run ${run} lives`, () => commandsWith(`${token}-${run}`).length === 0);
  const runner = world.stamps.of(id)[run - 1]?.runnerId ?? '';
  await until(`no process of run ${run} is there`, () => processesOf([id]).every((one) => one.runnerId !== runner));
}

function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

describe('a supervisor', () => {
  systemTest(
    'that is killed or stops answering takes its runs with it, uncharged, and is replaced',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const branch = 'task/supervised';
      const id = await world.submit({ branch, implement: [spreading(world, world.queue)] });

      const killed = await spread(world, id, { token: world.queue, run: 1 });
      process.kill(killed.supervisor, 'SIGKILL');
      await allDead(world, id, { token: world.queue, run: 1 });

      const stopped = await spread(world, id, { token: world.queue, run: 2 });
      process.kill(stopped.supervisor, 'SIGSTOP');
      await until('it is stopped', () => isStopped(stopped.supervisor));
      await allDead(world, id, { token: world.queue, run: 2 });

      await world.working(id, 3);
      world.openGate('go');
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 3, attempts: 1, crashes: 0 });
      expect(remote.show(branch, 'run.txt')).toBe('3\n');
      const replaced = world.events('worker.supervisor_replaced').map(({ workerId }) => workerId);
      expect(replaced).toHaveLength(2);
      expect(new Set(replaced)).toEqual(new Set([killed.worker.id, stopped.worker.id]));
      const reasons = world.events('task.requeued').map(({ reason }) => reason);
      expect(reasons).toEqual(Array(2).fill(expect.stringContaining('watches over its steps died')));
    },
    options,
  );

  systemTest(
    'that goes down together with its worker leaves nothing behind, whether they are killed or stopped',
    async (world) => {
      world.remote();
      await world.startWorkers(4);
      const id = await world.submit({ attempts: 6, implement: [spreading(world, world.queue)] });

      const killed = await spread(world, id, { token: world.queue, run: 1 });
      process.kill(killed.supervisor, 'SIGKILL');
      await killed.worker.kill();
      await allDead(world, id, { token: world.queue, run: 1 });

      const frozen = await spread(world, id, { token: world.queue, run: 2 });
      frozen.worker.freeze();
      await until('the worker is stopped', () => isStopped(frozen.worker.pid));
      process.kill(frozen.supervisor, 'SIGKILL');
      await allDead(world, id, { token: world.queue, run: 2 });
      expect(isStopped(frozen.worker.pid)).toBe(true);

      const still = await spread(world, id, { token: world.queue, run: 3 });
      process.kill(still.supervisor, 'SIGSTOP');
      await until('the supervisor is stopped', () => isStopped(still.supervisor));
      await still.worker.kill();
      await allDead(world, id, { token: world.queue, run: 3 });
      expect(isStopped(still.supervisor)).toBe(true);

      await world.working(id, 4);
      const runs = world.stamps.of(id);
      for (const [i, { start }] of runs.entries()) expect(start).toBeGreaterThan(runs[i - 1]?.end ?? 0);
      // Each was dead before what it held was free for the next one.
      for (const { runnerId, end } of runs.slice(0, 3)) {
        const reaped = await until('it is reaped', () =>
          world.events('claim.reaped').find((one) => one['runnerId'] === runnerId),
        );
        expect(Date.parse(String(reaped['time']))).toBeGreaterThanOrEqual(Math.floor(end));
      }
      world.openGate('go');
      frozen.worker.thaw();
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 4, attempts: 1 });
    },
    options,
  );

  systemTest(
    'kills the steps of a worker that hangs at their deadline, and they run again elsewhere',
    async (world) => {
      world.remote();
      const [hung] = await world.startWorkers(1, { concurrency: 2 });
      const id = await world.submit({ implement: [spreading(world, world.queue)] });
      await spread(world, id, { token: world.queue, run: 1 });
      const wake = world.gate('wake');
      const hanging = await world.submit({ implement: [{ handler: 'hang', input: wake }] });
      await until('its worker hangs', async () => (await world.client.get(hanging)).state === 'running');
      await allDead(world, id, { token: world.queue, run: 1 });
      // Nothing has been heard of the worker since: it was its supervisor that ended them.
      expect(hung?.events('lease.lost')).toEqual([]);
      expect(hung?.events('step.finished')).toEqual([]);

      await world.startWorkers(1);
      await world.working(id, 2);
      world.openGate('go');
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, attempts: 1 });
      world.openGate('wake');
      expect(await world.ended(hanging)).toMatchObject({ state: 'succeeded', attempts: 1 });
      await until('the worker knows what it has lost', () => hung?.has('lease.lost', { taskId: id }));
    },
    options,
  );
});

describe('a step that uses more than its worker allows', () => {
  systemTest(
    'fails with that as its reason, and the record says what held it',
    async (world) => {
      world.remote();
      const env = { SIGNALBOX_MEMORY_LIMIT: '128MiB', SIGNALBOX_PROCESS_LIMIT: '40', SIGNALBOX_DISK_LIMIT: '16MiB' };
      await world.startWorkers(1, { env });
      const hold = 'const all = Buffer.alloc(300 << 20, 1); setTimeout(() => all, 60_000)';
      const once = { attempts: 1 };
      const [greedy = '', crowded = '', full = '', modest = ''] = await world.submitAll([
        { ...once, implement: [[process.execPath, '-e', hold]] },
        { ...once, implement: ['echo new > new.txt'], test: ['for i in $(seq 60); do sleep 30 & done; wait'] },
        { ...once, implement: ['head -c 32000000 /dev/zero > "$TMPDIR/full"; sleep 60'] },
        { ...once, implement: ['echo new > other.txt'] },
      ]);
      const ends = [
        [greedy, 'implement_failed', 'it used more than 128MiB of memory (memoryLimit)'],
        [crowded, 'test_failed', 'it had more than 40 processes and threads at once (processLimit)'],
        [full, 'implement_failed', 'its run’s folder held more than 16MiB (diskLimit)'],
      ] as const;
      for (const [id, code, reason] of ends) {
        const error = expect.stringContaining(`hit a limit: ${reason}`);
        expect(await world.ended(id)).toMatchObject({ state: 'failed', code, error, attempts: 1 });
      }
      const task = await world.ended(modest);
      expect(task).toMatchObject({ state: 'succeeded' });
      expect(task.isolation).toMatch(/^(pidns|group), (no cgroup|cgroup v[12] .+)$/);
    },
    options,
  );
});

describe('the process that starts git', () => {
  systemTest(
    'that is killed in a push is replaced, and ends with its worker, however that ends',
    async (world) => {
      const remote = world.remote();
      const trap = new PushTrap(remote);
      const [worker] = await world.startWorkers(1);
      trap.arm('pre-receive', 'hold');
      const branch = 'task/cut-short';
      const id = await world.submit({ branch, implement: ['echo once > once.txt'] });
      await until('its push is held', () => trap.holds);
      const server = forkServerOf(worker?.pid ?? 0) as number;
      process.kill(server, 'SIGKILL');
      trap.release();
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
      expect(remote.show(branch, 'once.txt')).toBe('once\n');
      expect(world.events('worker.fork_server_replaced')).toEqual([
        expect.objectContaining({ workerId: worker?.id, reason: 'it was killed by SIGKILL' }),
      ]);

      const next = await until('another one is there', () => forkServerOf(worker?.pid ?? 0));
      expect(next).not.toBe(server);
      // A task has ended a moment before its worker has put everything away, and no other worker is there to do that.
      await checkRest(world);
      await worker?.kill();
      await until('it has gone too', () => isGone(next));
    },
    options,
  );
});
