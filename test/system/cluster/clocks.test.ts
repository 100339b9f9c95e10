import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { timings } from '../../../src/config/timings.ts';
import { processesOf } from '../../support/system/processes.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

/** Longer than a busy machine keeps a sound worker from renewing: no lease may be lost here but by the step. */
const LEASE_MS = 3_000;
const STEP_S = 60;
/** From a worker's death until its task is at work elsewhere: the formula, and time to be taken up on a busy machine. */
const RECOVERED_MS = timings(LEASE_MS).recoveryMs + 10_000;

const PLACES = ['x86_64-linux-gnu', 'aarch64-linux-gnu', '.'].map((at) => `/usr/lib/${at}/faketime/libfaketime.so.1`);

/** A clock that the programs of `env` go by: the wall clock only, since a step moves no other. */
class SteppedClock implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'signalbox-clock-'));
  readonly env: Readonly<Record<string, string>>;

  constructor(library: string) {
    this.env = {
      // The C library's own malloc: that of Redis asks for the time before there is a time to give.
      LD_PRELOAD: `${library}:libc.so.6`,
      FAKETIME_TIMESTAMP_FILE: join(this.#dir, 'offset'),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    this.set(0);
  }

  /** Sets it to the true time and so many seconds. */
  set(seconds: number): void {
    writeFileSync(join(this.#dir, 'offset'), `${seconds < 0 ? '' : '+'}${seconds}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** libfaketime, if it is there and both programs run with it. */
function findLibrary(): string | undefined {
  const library = PLACES.find((path) => existsSync(path));
  if (library === undefined) return undefined;
  using clock = new SteppedClock(library);
  const env = { ...process.env, ...clock.env };
  const runs = (program: string): boolean =>
    spawnSync(program, ['--version'], { env, timeout: 10_000, stdio: 'ignore' }).status === 0;
  return runs('redis-server') && runs(process.execPath) ? library : undefined;
}

const library = findLibrary();
// Why tests are passed over must be seen.
if (library === undefined) console.warn('clocks are not stepped: libfaketime is missing (apt-get install faketime)');

let clock: SteppedClock;
beforeEach(() => {
  clock = new SteppedClock(library ?? '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  clock[Symbol.dispose]();
});

function gated(world: World, gate: string, branch: string) {
  return { branch, claims: { undeclared: 'warn' as const }, implement: [step(world, gate)] };
}

function step(world: World, gate: string): string {
  return `echo "$SIGNALBOX_RUN" > run.txt; ${world.stamps.workUntil(world.gate(gate))}`;
}

/** By how much the clock of Redis is ahead of this process's, in s. */
async function redisAheadS({ client }: World): Promise<number> {
  const [seconds] = await client.queue.redis.time();
  return Math.round(Number(seconds) - Date.now() / 1_000);
}

describe.skipIf(library === undefined)('a step of the clock by a minute', () => {
  describe('of Redis', () => {
    beforeEach(() => {
      // The server that the test's world starts inherits it; workers and git have environments of their own.
      for (const [name, value] of Object.entries(clock.env)) vi.stubEnv(name, value);
    });

    systemTest(
      'forward costs leases and no attempt, back costs nothing, and a dead worker is found after both',
      async (world) => {
        const remote = world.remote();
        await world.startWorkers(2);
        const first = await world.submit(gated(world, 'go', 'task/one'));
        await world.working(first);

        clock.set(STEP_S);
        expect(await redisAheadS(world)).toBeGreaterThan(STEP_S - 10);
        await world.working(first, 2);
        expect(world.events('lease.lost').map(({ taskId }) => taskId)).toContain(first);
        expect(await world.client.get(first)).toMatchObject({ attempts: 0 });

        const lost = world.events('lease.lost').length;
        const { runnerId } = await world.client.get(first);
        clock.set(0);
        expect(await redisAheadS(world)).toBeLessThan(10);
        const { redis, keys } = world.client.queue;
        const lease = keys.key('lease', runnerId ?? '');
        // The step gave it a minute more to live, until it was next renewed.
        await until('its lease is renewed by the new time', async () => {
          const leftMs = await redis.pttl(lease);
          return leftMs > 0 && leftMs <= LEASE_MS;
        });
        expect(world.events('lease.lost')).toHaveLength(lost);
        expect(world.stamps.of(first)).toHaveLength(2);

        const behind = await world.submit(gated(world, 'go', 'task/one'));
        await world.reached(behind, 'blocked');
        const worker = await world.workerOf(first);
        const killedAt = Date.now();
        await worker.kill();
        await world.working(first, 3);
        expect(world.stamps.of(first)[2]?.start ?? 0).toBeLessThan(killedAt + RECOVERED_MS);
        world.openGate('go');
        expect(await world.ended(first)).toMatchObject({ state: 'succeeded', attempts: 1 });
        expect(await world.ended(behind)).toMatchObject({ state: 'succeeded', attempts: 1 });
        expect(remote.published()).toHaveLength(2);
      },
      { leaseTtl: `${LEASE_MS}ms`, redis: 'own' },
    );
  });

  describe('of a worker', () => {
    systemTest(
      'takes no task away, whichever way it goes',
      async (world) => {
        world.remote();
        const [stepped] = await world.startWorkers(1, { env: clock.env });
        const id = await world.submit(gated(world, 'go', 'task/one'));
        await world.working(id);
        const { runnerId } = await world.client.get(id);
        await world.startWorkers(1);
        const { redis, keys } = world.client.queue;
        const renewed = async (): Promise<void> => {
          const lease = keys.key('lease', runnerId ?? '');
          await redis.pexpire(lease, 2 * LEASE_MS);
          await until('its lease is renewed', async () => {
            const leftMs = await redis.pttl(lease);
            return leftMs > 0 && leftMs <= LEASE_MS;
          });
        };
        for (const offset of [STEP_S, -STEP_S, STEP_S]) {
          clock.set(offset);
          // Two, so that a renewal under way at the step is not mistaken for one after it.
          await renewed();
          await renewed();
        }
        expect(world.stamps.of(id)).toHaveLength(1);
        const behind = await world.submit(gated(world, 'go', 'task/one'));
        await world.reached(behind, 'blocked');
        world.openGate('go');
        expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 1, attempts: 1 });
        expect(await world.ended(behind)).toMatchObject({ state: 'succeeded', runs: 1 });
        expect(world.events('lease.lost')).toEqual([]);
        expect(world.events('claim.reaped')).toEqual([]);
        expect(processesOf([id])).toEqual([]);
        const [finished] = stepped?.events('claim.released') ?? [];
        expect(Date.parse(String(finished?.['time'])) - Date.now()).toBeGreaterThan((STEP_S * 1_000) / 2);
      },
      { leaseTtl: `${LEASE_MS}ms` },
    );
  });
});
