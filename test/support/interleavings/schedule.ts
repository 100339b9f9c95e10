/** A random schedule: what users and fate do to one queue, all at the same time, told by one seed. */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { defineConfig } from '../../../src/config/config.ts';
import { Signalbox, SignalboxError } from '../../../src/index.ts';
import type { Handlers } from '../../../src/runner/services.ts';
import { freshQueueName, testRedisUrl } from '../redis.ts';
import { Random } from '../system/random.ts';
import { until } from '../system/until.ts';
import type { TestTask } from '../system/world.ts';
import { type AtWork, Observer } from './observer.ts';
import { MortalWorker } from './worker.ts';

const repo = 'https://git.example.com/acme/app';
const PATHS = ['a', 'a/x', 'a/y', 'b', 'c/**'];
const OWNERS = ['ann', 'bob'];
const POLICIES = ['wait', 'wait', 'fail', 'skip', 'proceed', 'supersede', 'preempt'] as const;
const PRIORITIES = ['urgent', 'high', 'normal', 'normal', 'low'] as const;
const LIMITS: readonly (readonly [string, readonly (number | null)[]])[] = [
  ['owner:ann', [1, 2, null]],
  ['owner:bob', [1, 2, null]],
  ['resource:db', [1, 2, 3]],
  ['weight:ann', [2, 0.5]],
  ['max_parallel_runners', [1, 2, 4, null]],
];
const ROUNDS = 5;
const ACTS_A_ROUND = 9;
/** Recovery from a death takes two leases, a look for leftovers 2 s. */
const LEASE_TTL = '2s';
const DRAIN_MS = 90_000;

interface WorkInput {
  readonly ms: number;
  readonly isLast: boolean;
  readonly fails: boolean;
  readonly more: string | null;
}

/** One queue, its workers and clients. */
export class Schedule {
  readonly observer = new Observer();
  /** Ids that a client was told. */
  readonly accepted = new Set<string>();
  /** Whether a worker or client died: then a job may be left for a task that has ended. */
  hasDeaths = false;
  box!: Signalbox;
  readonly #random: Random;
  readonly #options;
  readonly #workers = new Set<MortalWorker>();
  #other!: Signalbox;

  constructor(seed: number, dir: string) {
    this.#random = new Random(seed);
    const queue = freshQueueName();
    this.#options = {
      redisUrl: testRedisUrl(),
      queue,
      dataDir: join(dir, queue),
      leaseTtl: LEASE_TTL,
      keepAfter: '20ms',
      concurrency: 3,
    };
  }

  /** Starts the queue and plays all rounds. */
  async play(): Promise<void> {
    [this.box, this.#other] = await Promise.all([Signalbox.connect(this.#options), Signalbox.connect(this.#options)]);
    await this.#limit('resource:db', 2);
    await Promise.all([this.#hire(), this.#hire()]);
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(Array.from({ length: ACTS_A_ROUND }, async () => await this.#act()));
    }
  }

  /** Lets everything that was accepted come to its end, without any help but what workers do by themselves. */
  async drain(): Promise<void> {
    await this.box.setLimit('max_parallel_runners', null);
    for (const owner of OWNERS) await this.#limit(`owner:${owner}`, null);
    await this.#observed('paused', false, async () => await this.box.resume());
    await until(
      'all tasks have ended',
      async () => {
        // A failed attempt is followed by the next one after 5 s: nobody waits for that here.
        for (const id of await this.box.queue.store.ids({ state: 'scheduled' })) {
          if ((await this.box.get(id)).runs > 0) await expected(this.box.cancel(id));
        }
        const { queued, scheduled, blocked, running } = await this.box.status();
        return queued + scheduled + blocked + running === 0;
      },
      DRAIN_MS,
    );
  }

  /** Stops the workers in good order. */
  async stop(): Promise<void> {
    await Promise.all([...this.#workers].map(async (worker) => await worker.stop()));
    this.#workers.clear();
  }

  /** Ends whatever is still there. */
  async close(): Promise<void> {
    for (const worker of this.#workers) worker.kill();
    await Promise.all([this.box, this.#other].map(async (box) => await box?.close()));
  }

  /** Something that somebody does at some moment of the round. */
  async #act(): Promise<void> {
    const random = this.#random;
    const box = random.below(2) === 0 ? this.box : this.#other;
    const wait = random.below(25);
    const acts: (readonly [number, () => Promise<unknown>])[] = [
      [8, this.#submit(box)],
      [4, this.#cancel(box)],
      [2, this.#retry(box)],
      [2, async () => await this.#observed('paused', true, async () => await box.pause())],
      [3, async () => await this.#observed('paused', false, async () => await box.resume())],
      [3, this.#changeLimit()],
      [2, this.#removeJob()],
      [1, async () => await box.queue.tend()],
      [2, this.#hold(box)],
      [1, async () => await this.#kill()],
      [1, this.#dyingClient()],
    ];
    let at = random.below(acts.reduce((sum, [weight]) => sum + weight, 0));
    const [, act] = acts.find(([weight]) => (at -= weight) < 0) ?? [0, async () => {}];
    await delay(wait);
    await expected(act());
  }

  #submit(box: Signalbox): () => Promise<void> {
    const tasks = Array.from({ length: 1 + this.#random.below(2) }, () => this.#task());
    return async () => {
      const inputs = tasks.map((task) => ({ title: 'a task', repo, ...task }));
      for (const { id } of await box.submit(inputs)) this.accepted.add(id);
    };
  }

  #cancel(box: Signalbox): () => Promise<void> {
    const [pick] = this.#picks();
    return async () => void (await box.cancel(pick()));
  }

  #retry(box: Signalbox): () => Promise<void> {
    const [pick] = this.#picks();
    return async () => void this.accepted.add((await box.retry(pick())).id);
  }

  #changeLimit(): () => Promise<void> {
    const [name, values] = LIMITS[this.#random.below(LIMITS.length)] ?? ['', []];
    const value = values[this.#random.below(values.length)] ?? null;
    return async () => await this.#limit(name, value);
  }

  #removeJob(): () => Promise<void> {
    const [pick] = this.#picks();
    return async () => await this.box.queue.bull.remove(pick());
  }

  #hold(box: Signalbox): () => Promise<void> {
    const write = this.#random.some(PATHS, 1);
    const [ms, patience] = [this.#random.below(20), 5 + this.#random.below(60)];
    return async () => await box.hold({ repo, write }, async () => await delay(ms), { waitTimeoutMs: patience });
  }

  /** A worker dies in the middle of something, and another one comes. */
  async #kill(): Promise<void> {
    const [victim] = this.#random.some([...this.#workers], 1);
    if (victim === undefined) return;
    this.hasDeaths = true;
    this.#workers.delete(victim);
    victim.kill();
    this.observer.died(victim.id);
    await this.#hire();
  }

  /** A client dies while it submits, cancels, retries or pauses. */
  #dyingClient(): () => Promise<void> {
    this.hasDeaths = true;
    const livesMs = this.#random.below(6);
    const tasks = [this.#task(), this.#task()].map((task) => ({ title: 'a task', repo, ...task }));
    const [pick, which] = this.#picks();
    return async () => {
      const client = await Signalbox.connect(this.#options);
      const acts = [
        async () => await client.submit(tasks),
        async () => await client.cancel(pick()),
        async () => await client.retry(pick()),
        async () => await client.pause(),
      ];
      const dying = acts[which % acts.length]?.().catch(() => {});
      await delay(livesMs);
      client.queue.redis.disconnect();
      await dying;
      await client.close().catch(() => {});
    };
  }

  /** Picks a task of those there are when it is called; and a number. */
  #picks(): [() => string, number] {
    const number = this.#random.below(1_000);
    return [() => [...this.accepted].sort()[number % Math.max(1, this.accepted.size)] ?? 'none', number];
  }

  #task(): TestTask {
    const random = this.#random;
    const chance = (percent: number): boolean => random.below(100) < percent;
    const one = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
    const steps = 1 + random.below(2);
    const onConflict = one(POLICIES);
    const task: TestTask = {
      owner: one(OWNERS),
      priority: one(PRIORITIES),
      onConflict,
      preemptible: one(['steps', 'anytime', 'never'] as const),
      ...(chance(50) || onConflict === 'supersede' ? { branch: one(['one', 'two']) } : {}),
      claims: {
        write: random.some(PATHS, random.below(3)),
        read: random.some(PATHS, random.below(2)),
        ...(chance(25) ? { resources: ['db'] } : {}),
      },
      ...(chance(10) ? { waitTimeout: '100ms' } : {}),
      ...(chance(20) ? { dependsOn: random.some([...this.accepted], 1) } : {}),
      attempts: chance(10) ? 2 : 1,
      implement: Array.from({ length: steps }, (_, i) => ({
        handler: 'work',
        input: {
          ms: random.below(15),
          isLast: i === steps - 1,
          fails: chance(8),
          more: chance(12) ? one(PATHS) : null,
        } satisfies WorkInput,
      })),
    };
    return task;
  }

  async #limit(name: string, value: number | null): Promise<void> {
    await this.#observed(name, value, async () => await this.box.setLimit(name, value));
  }

  async #observed(name: string, value: number | boolean | null, make: () => Promise<unknown>): Promise<void> {
    await this.observer.changing(name, value, make);
  }

  async #hire(): Promise<void> {
    const worker: MortalWorker = await MortalWorker.start({
      config: defineConfig(this.#options),
      handlers: this.#handlers(() => worker.id),
      taken: (id) => this.observer.taken(id),
    });
    worker.events.on('wait.dead_man_fired', ({ taskId }) => this.observer.wrongs.push(`nobody woke ${taskId}`));
    this.#workers.add(worker);
  }

  #handlers(workerId: () => string): Handlers {
    const atWork = new Map<string, AtWork>();
    return {
      work: async (task, { input, claim, signal }) => {
        const { ms, isLast, fails, more } = input as WorkInput;
        const { taskId, runnerId } = claim;
        let run = atWork.get(runnerId);
        if (run === undefined) {
          const claims = { ...task.claims, write: [...claim.write] };
          run = { taskId, runnerId, worker: workerId(), task: { ...task, repo, claims } as unknown as TestTask };
          atWork.set(runnerId, run);
          const begun = run;
          signal.addEventListener('abort', () => this.observer.ends(begun), { once: true });
          if ([...this.#workers].some(({ id }) => id === workerId())) this.observer.begins(run);
        }
        try {
          await delay(ms, undefined, { signal });
          if (more !== null) {
            await claim(more);
            this.observer.grew(run, [...(run.task.claims?.write ?? []), more]);
            await delay(ms, undefined, { signal });
          }
          if (fails) throw new Error('it was to fail');
        } catch (error) {
          this.observer.ends(run);
          throw error;
        }
        if (isLast) this.observer.ends(run);
      },
    };
  }
}

/** What may be answered when others act at the same time. */
async function expected(act: Promise<unknown>): Promise<void> {
  await act.catch((error: unknown) => {
    // With leases of a second, a machine that is busy with ten schedules loses one now and then; its holder is told.
    const codes = ['STATE', 'NOT_FOUND', 'CONFLICT', 'INVALID', 'LEASE_LOST'];
    const isExpected = error instanceof SignalboxError && codes.includes(error.code);
    if (!isExpected) throw error;
  });
}
