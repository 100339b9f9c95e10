import { describe, expect, test } from 'vitest';
import { samplesOf } from '../../../src/telemetry/metrics/samples.ts';
import { Tally } from '../../../src/telemetry/metrics/tally.ts';

const valuesOf = (counted: Readonly<Record<string, string>>, name: string) =>
  samplesOf(counted, {}).find((one) => one.name === name)?.values ?? [];

describe('samples', () => {
  test('pass over what this version does not know, and labels that nobody may have', () => {
    const counted = {
      signalbox_not_yet_total: '1',
      'signalbox_tasks_finished_total|failed|by somebody else': '9',
      'signalbox_tasks_finished_total|failed|timeout': '2',
      'constructor|x': '1',
    };
    const finished = valuesOf(counted, 'signalbox_tasks_finished_total');
    expect(finished).toContainEqual({ value: 2, labels: { state: 'failed', code: 'timeout' } });
    expect(JSON.stringify(samplesOf(counted, {}))).not.toMatch(/somebody|not_yet/);
  });

  test('of a histogram whose buckets were others before count what was noted then', () => {
    const values = valuesOf(
      { 'signalbox_run_seconds|le=0.3': '2', 'signalbox_run_seconds|le=+Inf': '1' },
      'signalbox_run_seconds',
    );
    const upTo = (le: string) => values.find(({ labels }) => labels['le'] === le)?.value;
    expect([upTo('0.1'), upTo('0.5'), upTo('14400'), upTo('+Inf')]).toEqual([0, 2, 2, 3]);
  });
});

describe('a tally', () => {
  test('takes back what could not be written, on top of what came meanwhile', () => {
    const tally = new Tally();
    tally.count('signalbox_publications_total');
    tally.observeOwner('ann', 1_000);
    const lost = tally.take();
    tally.count('signalbox_publications_total');
    tally.observeOwner('ann', 2_000);
    tally.putBack(lost);
    const { fields, owners } = tally.take();
    expect(fields).toEqual(new Map([['signalbox_publications_total', 2]]));
    expect(owners.get('ann')).toMatchObject({
      observations: 2,
      parts: new Map([
        ['le=5', 1],
        ['le=1', 1],
        ['sum', 3],
      ]),
    });
    expect(tally.take().fields.size).toBe(0);
  });
});
