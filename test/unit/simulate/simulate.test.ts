import { describe, expect, it } from 'vitest';
import { idealMakespan } from '../../../scripts/bench/ideal.ts';
import { displacement } from '../../../scripts/bench/questions/agreement.ts';
import { contended } from '../../../scripts/bench/workload.ts';
import { type FleetOptions, generate } from '../../../scripts/simulate/fleet.ts';
import { fromBench } from '../../../scripts/simulate/lists.ts';
import { Bound, jain, Scorer } from '../../../scripts/simulate/score.ts';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { simulate } from '../../../src/waiting/simulation.ts';

const FLEET: FleetOptions = {
  tasks: 2_000,
  runners: 50,
  owners: 20,
  repos: 5,
  files: 100,
  zipf: 0.8,
  whole: 0.01,
  meanMs: 1_000,
  spread: 'lognormal',
  load: 0.9,
  seed: 7,
};

describe('a made-up fleet', () => {
  it('is the same for the same seed, comes in order of time, and keeps to what was asked for', () => {
    const drawn = [...generate(FLEET)];
    expect(drawn).toEqual([...generate(FLEET)]);
    expect(drawn).not.toEqual([...generate({ ...FLEET, seed: 8 })]);
    expect(drawn.map(({ atMs }) => atMs)).toEqual(drawn.map(({ atMs }) => atMs).toSorted((a, b) => a - b));
    const work = drawn.reduce((sum, { task }) => sum + task.durationMs, 0);
    expect(work / drawn.length).toBeGreaterThan(800);
    expect(work / drawn.length).toBeLessThan(1_200);
  });

  it('claims what the same paths would claim', () => {
    for (const { task } of generate({ ...FLEET, tasks: 200 })) {
      const repoKey = task.nodes[0]?.name.split('#')[0] ?? '';
      const paths = task.nodes.filter(({ name, mode }) => mode === 'X' && name.includes('#path:'));
      const write = paths.map(({ name }) => name.slice(name.indexOf('#path:') + 6) || '**');
      const branch = `signalbox/${task.id}`;
      const claimed = claimSet({ repoKey, branch, write, read: [], owner: task.owner });
      const plain = (nodes: readonly { name: string; mode: string }[]) =>
        nodes.map(({ name, mode }) => `${mode} ${name}`);
      expect(plain(task.nodes).toSorted()).toEqual(plain(claimed).toSorted());
    }
  });

  it('is never faster than its bound', () => {
    for (const load of [0, 0.5, 0.9]) {
      const bound = new Bound();
      const drawn = [...generate({ ...FLEET, load })];
      for (const { atMs, task, alone } of drawn) bound.add({ atMs, durationMs: task.durationMs, alone });
      const scorer = new Scorer();
      const fleet = { runners: FLEET.runners, keepAfterMs: 60_000 };
      const score = scorer.score(simulate(fleet, drawn, scorer.spectator), {
        idealMs: bound.idealMs(FLEET.runners),
        runners: FLEET.runners,
      });
      expect(score.tasks).toBe(FLEET.tasks);
      expect(score.makespanOverIdeal).toBeGreaterThanOrEqual(1);
      expect(score.utilisation).toBeLessThanOrEqual(1);
      expect(score.fairness).toBeLessThanOrEqual(1);
    }
  });
});

it('the bench’s workload is about as long simulated as for a list scheduler that knows all', () => {
  const tasks = contended({ tasks: 400, branches: 100, files: 400, meanMs: 60, zipf: 0.5, seed: 1 });
  const { makespanMs, started } = simulate({ runners: 16, keepAfterMs: 60_000 }, fromBench(tasks));
  expect(started).toBe(400);
  expect(makespanMs / idealMakespan(tasks, 16)).toBeGreaterThan(0.9);
  expect(makespanMs / idealMakespan(tasks, 16)).toBeLessThan(1.1);
});

it('Jain’s index is 1 for equals and 1 / n when one has everything', () => {
  expect(jain([3, 3, 3])).toBe(1);
  expect(jain([1, 0, 0, 0])).toBe(0.25);
});

it('two orders are apart by the mean distance of places', () => {
  expect(displacement([1, 2, 3, 4], [1, 2, 3, 4])).toBe(0);
  expect(displacement([1, 2, 3, 4], [4, 3, 2, 1])).toBe((3 + 1 + 1 + 3) / 16);
});
