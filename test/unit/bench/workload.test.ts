import { describe, expect, it } from 'vitest';
import { seeded, zipf } from '../../../scripts/bench/random.ts';
import { contended, disjoint, oneKey, queueing, resourcesOf } from '../../../scripts/bench/workload.ts';

const like = { tasks: 400, branches: 100, files: 400, meanMs: 60, zipf: 0.8, seed: 1 };

/** How often the most wanted branch is wanted. */
function mostWanted(exponent: number): number {
  const counts = new Map<string, number>();
  for (const { branch } of contended({ ...like, zipf: exponent })) counts.set(branch, (counts.get(branch) ?? 0) + 1);
  return Math.max(...counts.values());
}

describe('the random numbers', () => {
  it('are the same for the same seed, and lie between 0 and 1', () => {
    const [a, b, c] = [seeded(7), seeded(7), seeded(8)];
    const drawn = Array.from({ length: 1_000 }, () => a());
    expect(drawn).toEqual(Array.from({ length: 1_000 }, () => b()));
    expect(drawn[0]).not.toBe(c());
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
  });

  it('follow Zipf’s law: the first twice as often as the second, three times as often as the third', () => {
    const draw = zipf(seeded(1), 3, 1);
    const counts = [0, 0, 0];
    for (let i = 0; i < 11_000; i += 1) {
      const drawn = draw();
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    for (const [i, expected] of [6_000, 3_000, 2_000].entries()) {
      expect(Math.abs((counts[i] ?? 0) - expected)).toBeLessThan(250);
    }
  });
});

describe('the workloads', () => {
  it('are the same for the same seed', () => {
    expect(contended(like)).toEqual(contended(like));
    expect(contended(like)).not.toEqual(contended({ ...like, seed: 2 }));
  });

  it('want one branch and one to three different files each, for about the mean time', () => {
    const tasks = contended(like);
    expect(tasks).toHaveLength(400);
    for (const { files, ms } of tasks) {
      expect(files.length).toBeGreaterThanOrEqual(1);
      expect(new Set(files).size).toBe(files.length);
      expect(ms).toBeGreaterThanOrEqual(40);
      expect(ms).toBeLessThanOrEqual(80);
    }
  });

  it('crowd together as the exponent grows', () => {
    expect(mostWanted(0)).toBeLessThan(mostWanted(0.8));
    expect(mostWanted(0.8)).toBeLessThan(mostWanted(1.1));
  });

  it('want a branch and nothing else with one key a task', () => {
    const tasks = oneKey({ tasks: 300, branches: 30, meanMs: 30, zipf: 0.8, seed: 1 });
    expect(tasks.every((task) => resourcesOf(task).length === 1)).toBe(true);
    expect(new Set(tasks.map(({ branch }) => branch)).size).toBeGreaterThan(20);
  });

  it('share nothing, or one branch, where they should', () => {
    const all = disjoint(50).flatMap(resourcesOf);
    expect(all).toHaveLength(200);
    expect(new Set(all).size).toBe(200);
    const line = queueing(3, { firstMs: 100, ms: 2 });
    expect(line.map(({ ms }) => ms)).toEqual([100, 2, 2]);
    expect(new Set(line.map(({ branch }) => branch)).size).toBe(1);
  });
});
