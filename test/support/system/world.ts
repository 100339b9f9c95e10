/** System tests: each acts in a world of its own, at whose end the invariants are checked. */

import { inject, it } from 'vitest';
import { testRedisUrl } from '../redis.ts';
import { checkInvariants } from './invariants.ts';
import { World, type WorldOptions } from './world-core.ts';

export { type TestTask, World, type WorldOptions } from './world-core.ts';

/** A test that acts in a world of its own; the invariants are checked at its end, when the queue is at rest. */
export function systemTest(name: string, body: (world: World) => Promise<void>, options: WorldOptions = {}): void {
  it(name, async () => {
    const world = await World.open(options, { redisUrl: testRedisUrl(), program: inject('workerProgram') });
    try {
      await body(world);
      await world.drained();
      await checkInvariants(world);
      await world.stopWorkers();
    } catch (error) {
      if (error instanceof Error) error.message += `\n${await world.describe(error.message)}`;
      throw error;
    } finally {
      await world.close();
    }
  });
}
