import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { processesOf } from '../support/system/processes.ts';
import { until } from '../support/system/until.ts';
import { systemTest } from '../support/system/world.ts';

/** The pause before the second attempt, as the task's documentation says. */
const FIRST_BACKOFF_MS = 5_000;

describe('a task that takes too long', () => {
  systemTest('ends near its limit with its whole process tree', async (world) => {
    world.remote();
    await world.startWorkers(1);
    const spread = ['setsid', 'nohup setsid', ''].map((how) => `${how} sh -c 'while :; do sleep 1; done' &`).join('\n');
    const id = await world.submit({
      timeout: '3s',
      attempts: 1,
      implement: [`${world.stamps.note('start')}\n${spread}\nwhile :; do sleep 1; done`],
    });
    await until('its children are there', () => processesOf([id]).length > 4);
    const { state, code, startedAt, finishedAt, error } = await world.ended(id);
    expect(processesOf([id])).toEqual([]);
    expect({ state, code }).toEqual({ state: 'failed', code: 'timeout' });
    expect(error).toContain('3000 ms');
    const tookMs = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
    expect(tookMs).toBeGreaterThanOrEqual(3_000);
    // The limit, and the supervisor's 3 s to answer before it is killed itself.
    expect(tookMs).toBeLessThan(3_000 + 3_000 + 4_000);
  });
});

describe('a task that fails', () => {
  systemTest('is tried again after a pause, and its attempts are counted', async (world) => {
    const remote = world.remote();
    await world.startWorkers(2);
    const tried = join(world.dir, 'tried');
    const id = await world.submit({
      branch: 'task/again',
      implement: [`${world.stamps.workFor(1)}; echo "$SIGNALBOX_RUN" > run.txt; mkdir '${tried}' && exit 7; true`],
    });
    const waiting = await world.reached(id, 'scheduled');
    expect(waiting).toMatchObject({ attempts: 1, runs: 1, code: null });
    expect(waiting.error).toContain('exited with 7');
    const task = await world.ended(id);
    expect(task).toMatchObject({ state: 'succeeded', attempts: 2, runs: 2, crashes: 0, error: null });
    expect(task.history.map(({ state }) => state)).toEqual(['queued', 'running', 'scheduled', 'running', 'succeeded']);
    const [first, second] = world.stamps.of(id);
    expect((second?.start ?? 0) - (first?.end ?? 0)).toBeGreaterThanOrEqual(FIRST_BACKOFF_MS);
    expect(remote.show('task/again', 'run.txt')).toBe('2\n');
  });

  systemTest('fails for good when its attempts are used up; a step’s own retries cost none', async (world) => {
    world.remote();
    await world.startWorkers(1);
    const id = await world.submit({
      attempts: 2,
      implement: [{ name: 'flaky', run: `${world.stamps.note('start')}; exit 1`, retries: 1 }],
    });
    const task = await world.ended(id);
    expect(task).toMatchObject({ state: 'failed', code: 'implement_failed', attempts: 2, runs: 2 });
    expect(task.phases.find(({ name }) => name === 'implement')?.steps).toHaveLength(2);
    expect(world.events('task.retrying')).toHaveLength(1);
  });
});

describe('dependsOn', () => {
  systemTest('holds tasks back until all they depend on has succeeded', async (world) => {
    world.remote();
    await world.startWorkers(2);
    const task = (idempotencyKey: string, dependsOn: string[], implement = [world.handled({ ms: 20 })]) => ({
      idempotencyKey,
      dependsOn,
      implement,
    });
    const [last = '', middle = '', first = ''] = await world.submitAll([
      task('last', ['first', 'middle']),
      task('middle', ['first']),
      task('first', [], [world.handled({ gate: 'first' })]),
    ]);
    await world.working(first);
    expect((await world.client.get(middle)).state).toBe('scheduled');
    expect((await world.client.get(last)).state).toBe('scheduled');
    expect(await world.client.explain(last)).toMatchObject({ state: 'scheduled', position: null });
    world.openGate('first');
    await world.drained();
    const intervals = world.stamps.intervals();
    expect(intervals.map(({ taskId }) => taskId)).toEqual([first, middle, last]);
    for (const [i, { start }] of intervals.slice(1).entries())
      expect(start).toBeGreaterThanOrEqual(intervals[i]?.end ?? start + 1);
  });

  systemTest('skips what depends on a failure, and what depends on that, and says why', async (world) => {
    world.remote();
    await world.startWorkers(1);
    const task = (idempotencyKey: string, dependsOn: string[], run = world.stamps.workFor(1)) => ({
      idempotencyKey,
      dependsOn,
      attempts: 1,
      implement: [run],
    });
    const [bad = '', next = '', afterNext = '', other = ''] = await world.submitAll([
      task('bad', [], 'exit 1'),
      task('next', ['bad']),
      task('afterNext', ['next', 'other']),
      task('other', []),
    ]);
    await world.drained();
    const skipped = { state: 'skipped', code: 'dependency_failed', runs: 0 };
    expect(await world.client.get(next)).toMatchObject(skipped);
    expect(await world.client.get(afterNext)).toMatchObject(skipped);
    expect((await world.client.get(next)).history.at(-1)?.reason).toContain(bad);
    expect((await world.client.get(afterNext)).history.at(-1)?.reason).toContain(next);
    expect((await world.client.explain(next)).summary).not.toBe('');
    expect(world.stamps.intervals().map(({ taskId }) => taskId)).toEqual([other]);
  });
});
