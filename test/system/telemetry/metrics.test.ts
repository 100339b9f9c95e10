import { expect } from 'vitest';
import { metricsText } from '../../../src/server/metrics.ts';
import { until } from '../../support/system/until.ts';
import { systemTest } from '../../support/system/world.ts';

/** Each series of counters and histograms with its value; gauges are left out. */
function countedIn(text: string): Map<string, number> {
  const gauges = new Set([...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name));
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const entries = lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))] as const);
  return new Map(entries.filter(([series]) => !gauges.has(series.split('{')[0])));
}

systemTest(
  'metrics count a fleet’s work together and never go down, whoever dies',
  async (world) => {
    const { queue } = world.client;
    const remote = world.remote();
    await world.startWorkers(2, { concurrency: 2 });
    const on = (branch: string, gate: string) => ({ repo: remote.dir, branch, implement: [world.handled({ gate })] });
    const first = await world.submit({ ...on('task/a', 'first'), owner: 'ann' });
    await world.working(first);
    const second = await world.submit({ ...on('task/a', 'second'), owner: 'bob' });
    await world.reached(second, 'blocked');
    const samples: Map<string, number>[] = [];
    const sample = async (): Promise<Map<string, number>> => {
      const counted = countedIn(await metricsText(queue));
      samples.push(counted);
      return counted;
    };
    expect(await metricsText(queue)).toMatch(/^signalbox_tasks\{state="blocked"\} 1$/m);
    // Two that are written down by the interval alone, so that the death takes nothing with it.
    await until('what was counted is in Redis', async () => (await sample()).get('signalbox_runs_started_total') === 1);
    await until(
      'the conflict, too',
      async () => (await sample()).get('signalbox_conflicts_total{policy="wait",resource_kind="branch"}') === 1,
    );
    const victim = await world.workerOf(first);
    await victim.kill();
    await world.working(first, 2);
    world.openGate('first');
    world.openGate('second');
    await world.drained();
    await until('all is counted', async () => (await sample()).get('signalbox_publications_total') !== undefined);
    await until(
      'the last phase is counted',
      async () => (await sample()).get('signalbox_phase_seconds_count{phase="archive",ok="true"}') === 2,
    );
    const last = await sample();
    expect(last.get('signalbox_tasks_submitted_total')).toBe(2);
    expect(last.get('signalbox_tasks_finished_total{state="succeeded",code=""}')).toBe(2);
    expect(last.get('signalbox_runs_started_total')).toBe(3);
    expect(last.get('signalbox_crashes_total')).toBe(1);
    expect(last.get('signalbox_claims_reaped_total')).toBe(1);
    expect(last.get('signalbox_blocked_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(last.get('signalbox_hand_over_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(last.get('signalbox_owner_wait_seconds_count{owner="ann"}')).toBe(1);
    expect(last.get('signalbox_owner_wait_seconds_count{owner="bob"}')).toBe(1);
    for (const [i, counted] of samples.entries()) {
      const before = samples[i - 1] ?? new Map<string, number>();
      const lower = [...before].filter(([series, value]) => (counted.get(series) ?? 0) < value);
      expect(lower).toEqual([]);
    }
  },
  { leaseTtl: '2s' },
);
