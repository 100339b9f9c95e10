/** What Signalbox is for, in one go: the same on every kind of Redis. */

import { expect } from 'vitest';
import type { World } from '../../support/system/world.ts';

/** How many tasks want the same file. */
const RIVALS = 3;

/** Submits tasks of which some want the same file and each its own; answers the ids, rivals first. */
export async function submitJob(world: World, gate?: string): Promise<string[]> {
  const work = gate === undefined ? world.stamps.workFor(50) : world.stamps.workUntil(world.gate(gate));
  return await world.submitAll(
    Array.from({ length: 2 * RIVALS }, (_, i) => {
      const file = i < RIVALS ? 'shared.txt' : `own-${i}.txt`;
      return {
        branch: `task/${world.ledger.size}-${i}`,
        claims: { write: [file] },
        implement: [`${work}; echo ${i} > ${file}`],
        test: [`test "$(cat ${file})" = ${i}`],
      };
    }),
  );
}

/** All of them have succeeded, and each is on the remote as its record says. */
export async function checkJob(world: World, ids: readonly string[]): Promise<void> {
  const ended = await Promise.all(ids.map(async (id) => await world.ended(id)));
  for (const { id, state, branch, commit } of ended) {
    expect([id, state]).toEqual([id, 'succeeded']);
    expect(world.remotes[0]?.tip(branch ?? '')).toBe(commit);
  }
}
