import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { timings } from '../../../src/config/timings.ts';
import { processesOf } from '../../support/system/processes.ts';
import { until } from '../../support/system/until.ts';
import { systemTest } from '../../support/system/world.ts';

const LEASE_MS = 2_000;
const options = { leaseTtl: `${LEASE_MS}ms` };
/** From a worker's death until its task is at work elsewhere: the formula, and time to be taken up on a busy machine. */
const RECOVERED_MS = timings(LEASE_MS).recoveryMs + 8_000;

describe('a worker that is killed', () => {
  systemTest(
    'leaves no process of its task alive, not even daemons, and the task runs again elsewhere',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const daemons = ['setsid', 'nohup', ''].map(
        (how) => `${how} sh -c 'while :; do sleep 1; done' >/dev/null 2>&1 &`,
      );
      const firstTime = `${daemons.join('\n')}\n${world.stamps.workUntil(world.gate('never'))}`;
      const branch = 'task/crash';
      const id = await world.submit({
        branch,
        implement: [
          'echo "$SIGNALBOX_RUN" > run.txt',
          `if [ "$SIGNALBOX_RUN" = 1 ]; then ${firstTime}\nelse ${world.stamps.workFor(20)}; fi`,
        ],
      });
      await world.working(id);
      const next = await world.submit({ branch, implement: [`${world.stamps.workFor(20)}; echo next > next.txt`] });
      await world.reached(next, 'blocked');
      await until('its daemons are there', () => processesOf([id]).length >= 5);

      const worker = await world.workerOf(id);
      const killedAt = Date.now();
      await worker.kill();
      expect(worker.isAlive).toBe(false);
      await until('nothing of the run is alive', () => processesOf([id]).length === 0);

      await world.working(id, 2);
      const [first, second] = world.stamps.of(id);
      expect(second?.start ?? 0).toBeLessThan(killedAt + RECOVERED_MS);
      expect(first?.ended).toBe(false);
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, crashes: 1, attempts: 1 });
      const { history } = await world.client.get(id);
      expect(history.map(({ state }) => state)).toEqual(['queued', 'running', 'queued', 'running', 'succeeded']);
      expect(await world.ended(next)).toMatchObject({ state: 'succeeded', runs: 1, crashes: 0 });
      expect(remote.show(branch, 'run.txt')).toBe('2\n');
      const saved = join(world.dataDir, 'artifacts', id, 'run-1', 'unpublished.patch');
      await until(
        'the dead run’s work is saved',
        () => existsSync(saved) && readFileSync(saved, 'utf8').includes('+1'),
      );
      expect(world.events('claim.reaped')).toMatchObject([{ taskId: id, runnerId: first?.runnerId }]);
    },
    options,
  );

  systemTest(
    'each time by the same task makes that task set aside as crashed, and no other',
    async (world) => {
      world.remote();
      await world.startWorkers(1);
      const poison = await world.submit({ attempts: 2, implement: [world.stamps.workUntil(world.gate('never'))] });
      const others = await world.submitAll(
        Array.from({ length: 6 }, (_, i) => ({ implement: [`${world.stamps.workFor(300)}; echo ${i} > ${i}.txt`] })),
      );
      let kills = 0;
      await until('the task is set aside', async () => {
        const { state, runs, runnerId } = await world.client.get(poison);
        const atWork = world.stamps.of(poison).some((run) => run.runnerId === runnerId);
        if (state === 'running' && atWork && runs > kills) {
          await (await world.workerOf(poison)).kill();
          kills += 1;
          await world.startWorkers(1);
        }
        return state === 'failed';
      });
      const task = await world.client.get(poison);
      expect(task).toMatchObject({ state: 'failed', code: 'crashed', crashes: kills, commit: null });
      expect(kills).toBeGreaterThanOrEqual(2);
      expect(task.error).toContain(`${kills} times`);
      for (const id of others) expect(await world.ended(id)).toMatchObject({ state: 'succeeded', attempts: 1 });
      expect(world.workers.filter(({ isAlive }) => !isAlive)).toHaveLength(kills);
    },
    options,
  );
});

describe('a worker that is stopped for longer than its lease', () => {
  systemTest(
    'loses its steps and its task, which is published once by another; it works on when it goes on',
    async (world) => {
      const remote = world.remote();
      await world.startWorkers(2);
      const branch = 'task/frozen';
      const id = await world.submit({
        branch,
        implement: [`echo "$SIGNALBOX_RUN" > run.txt; ${world.stamps.workUntil(world.gate('go'))}`],
      });
      await world.working(id);
      const frozen = await world.workerOf(id);
      const frozenAt = Date.now();
      frozen.freeze();
      await world.working(id, 2);
      const [first, second] = world.stamps.of(id);
      expect(second?.start ?? 0).toBeGreaterThan(first?.end ?? Number.POSITIVE_INFINITY);
      expect(second?.start ?? 0).toBeLessThan(frozenAt + RECOVERED_MS);
      expect((await world.workerOf(id)).pid).not.toBe(frozen.pid);
      world.openGate('go');
      const task = await world.ended(id);
      frozen.thaw();
      expect(task).toMatchObject({ state: 'succeeded', attempts: 1, crashes: 1 });
      expect(remote.show(branch, 'run.txt')).toBe(`${task.runs}\n`);
      await until('the stopped worker has given its run up', () => frozen.events('claim.released').length > 0);
      // It was taken for dead; that it was not is known once it goes on.
      await until('it counts as no crash', async () => (await world.client.get(id)).crashes === 0);
      expect(await world.client.get(id)).toEqual({ ...task, crashes: 0 });

      for (const worker of world.workers) if (worker !== frozen) await worker.stop();
      const after = await world.submit({ implement: ['echo after > after.txt'] });
      expect(await world.ended(after)).toMatchObject({ state: 'succeeded', workerId: frozen.id });
    },
    options,
  );
});
