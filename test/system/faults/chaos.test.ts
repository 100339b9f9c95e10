import { describe, expect } from 'vitest';
import { Random } from '../../support/system/random.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type TestTask } from '../../support/system/world.ts';

const LEASE_MS = 2_000;
const KILLS = 4;
const FREEZES = 2;

describe('workers that are killed and frozen again and again', () => {
  systemTest(
    'lose no task, publish none twice, and let no two that overlap work together',
    async (world) => {
      const remote = world.remote();
      const random = new Random(7);
      await world.startWorkers(3, { concurrency: 3 });
      const tasks = Array.from({ length: 27 }, (_, i): TestTask => {
        const files = random.some(['a', 'b', 'c', 'd', 'e', 'src/f', 'src/g', 'src'], 1 + random.below(2));
        return {
          branch: `task/${i % 9}`,
          // All write one log, each on its branch; that is not what they shall wait for.
          claims: { write: files, undeclared: 'warn' },
          // Deaths of a worker are counted against all that it runs; none of these is to blame.
          attempts: 20,
          implement: [`${world.stamps.workFor(100 + random.below(400))}; echo "$SIGNALBOX_TASK_ID" >> log.txt`],
        };
      });
      const ids = await world.submitAll(tasks);
      for (let fault = 0; fault < KILLS + FREEZES; fault += 1) {
        const busy = await until('a run is at work in a worker that lives', async () => {
          const { runners } = await world.client.status();
          const at = world.stamps.intervals().filter(({ ended }) => !ended);
          const runner = runners.find(({ id }) => at.some(({ runnerId }) => runnerId === id));
          return world.workers.find(({ id, isAlive }) => isAlive && id === runner?.workerId);
        });
        if (fault % 3 === 2) {
          const reapedBefore = world.events('claim.reaped').length;
          busy.freeze();
          await until('its claims were given away', () => world.events('claim.reaped').length > reapedBefore);
          busy.thaw();
        } else {
          await busy.kill();
          await world.startWorkers(1, { concurrency: 3 });
        }
      }
      await world.drained();
      expect(world.workers.filter(({ isAlive }) => !isAlive)).toHaveLength(KILLS);
      // A worker may be killed just when its run has ended, or with the news of what it has reaped.
      expect(world.events('claim.reaped').length).toBeGreaterThanOrEqual(KILLS);
      const ended = await Promise.all(ids.map((id) => world.client.get(id)));
      expect(ended.map(({ state }) => state)).toEqual(ids.map(() => 'succeeded'));
      const logs = Array.from({ length: 9 }, (_, i) => remote.show(`task/${i}`, 'log.txt').trim().split('\n')).flat();
      expect(logs.sort()).toEqual([...ids].sort());
    },
    { leaseTtl: `${LEASE_MS}ms` },
  );
});
