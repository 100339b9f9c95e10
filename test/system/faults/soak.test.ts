import { expect, inject, test } from 'vitest';
import { playRound } from '../../support/system/soak/round.ts';

/** One that meets a dead worker, a lost lease and a push in doubt; `npm run soak` plays more of them, and longer ones. */
const SEED = 3;
const FOR_MS = 25_000;

test('a round of the soak: faults strike at random, and in the end all comes to rest and every invariant holds', async () => {
  const place = { program: inject('workerProgram'), redisUrl: '' };
  const { tasks, faults, events } = await playRound({ seed: SEED, forMs: FOR_MS, workers: 3, place });
  expect(tasks).toBeGreaterThan(0);
  expect(Object.keys(faults).length).toBeGreaterThan(2);
  expect(events['task.finished']).toBeGreaterThan(0);
});
