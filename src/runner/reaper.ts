/**
 * The reaper: frees what dead holders had, and does what dead processes left undone.
 *
 * A holder whose lease is gone may still be alive: it has not noticed yet, or cannot reach Redis. It stops itself when
 * TTL − margin has passed since its last good renewal was sent. So the reaper waits that long on its own clock after
 * the first look since when nothing was renewed (`claims/silence.ts`); by then a live holder has stopped, whatever the
 * wall clocks did. A claim whose lease is there is never freed. Every worker reaps:
 * freeing is one script that does nothing the second time. Before it frees, it ends what the holder may have left running
 * on its own host: a supervisor does that long before, unless it was killed or stopped together with its worker.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Grant } from '../claims/answers.ts';
import type { Clock } from '../claims/clock.ts';
import { Silence } from '../claims/silence.ts';
import type { Timings } from '../config/timings.ts';
import { ClockWatch } from '../queue/clock-step.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { Events } from '../telemetry/events.ts';
import { registeredWorkers } from './registry.ts';

/** How often leftovers are looked for, by one worker of the fleet. */
const TEND_EVERY_MS = 2_000;

/** What a reaper works with. */
export interface ReaperOptions {
  readonly queue: TaskQueue;
  readonly timings: Timings;
  readonly clock: Clock;
  readonly events: Events;
  /** Ends what dead holders may have left running on this host; resolves when nothing of it lives. Never rejects. */
  readonly endLeftovers?: (holders: readonly string[]) => Promise<void>;
}

/** Looks at the leases every tenth of their TTL until it is stopped. */
export class Reaper {
  readonly #options: ReaperOptions;
  readonly #silence: Silence;
  readonly #clockWatch: ClockWatch;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: ReaperOptions) {
    this.#options = options;
    this.#silence = new Silence(options.clock, options.timings);
    this.#clockWatch = new ClockWatch(options.queue, options.clock, options.timings.leaseTtlMs);
  }

  /** Begins to look. */
  start(): void {
    this.#timer = setTimeout(() => {
      // While Redis is away there is nothing to reap; the next look finds out whether it is back.
      this.#looking = this.look().catch(() => {});
      void this.#looking.then(() => {
        if (!this.#stopped) this.start();
      });
    }, this.#options.timings.reapEveryMs);
  }

  /** Ends it, and waits for a look that is under way for no longer than a lease. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.race([
      this.#looking,
      new Promise((done) => setTimeout(done, this.#options.timings.leaseTtlMs).unref()),
    ]);
  }

  /** One look: notes whose leases are overdue, frees what has been silent long enough, tends the rest. */
  async look(): Promise<void> {
    const { queue, timings } = this.#options;
    await this.#clockWatch.look();
    const leftMs = timings.leaseTtlMs - timings.overdueMs;
    const { dead, freed } = this.#silence.note(await queue.locker.overdue(leftMs, timings.sharedLookMs));
    // Also what was given back meanwhile, or freed by a reaper elsewhere, which cannot see what runs here.
    await this.#endLeftovers([...freed, ...dead.map(([holder]) => holder)]);
    for (const [holder, value] of dead) await this.#reap(holder, value);
    await this.#tend();
  }

  /** Within the margin: what cannot be killed by then waits in the kernel, where it does nothing more. */
  async #endLeftovers(holders: readonly string[]): Promise<void> {
    const { endLeftovers, timings } = this.#options;
    if (holders.length === 0 || endLeftovers === undefined) return;
    await Promise.race([endLeftovers(holders), delay(timings.marginMs, undefined, { ref: false })]);
  }

  async #reap(holder: string, value: string): Promise<void> {
    const { queue, events } = this.#options;
    const task = await queue.redis.hget(queue.keys.key('record', holder), 'task');
    const grants = await queue.locker.reap(holder, value);
    this.#silence.forget(holder);
    if (grants === undefined) return;
    events.emit({ type: 'claim.reaped', runnerId: holder, ...(task === null || task === '' ? {} : { taskId: task }) });
  }

  async #tend(): Promise<void> {
    const { queue, events } = this.#options;
    const mine = await queue.redis.set(queue.keys.all('tending'), '1', 'PX', TEND_EVERY_MS, 'NX');
    if (mine === null) return;
    for (const taskId of await queue.tend()) events.emit({ type: 'grant.promoted_leftover', taskId });
    if ((await registeredWorkers(queue.redis, queue.keys)).length === 0) await this.#giveBackReservations();
  }

  /**
   * With no worker to take them up, what is reserved for tasks would keep out for ever whoever waits without a job. The
   * tasks keep their rank and ask again when a worker comes.
   */
  async #giveBackReservations(): Promise<void> {
    const { queue } = this.#options;
    let granted: readonly Grant[] = await queue.line.leftovers(TEND_EVERY_MS);
    while (granted.length > 0) {
      const tasks = granted.filter(({ kind }) => kind === 'task');
      granted = (await Promise.all(tasks.map(async ({ ticket }) => await queue.line.leave(ticket)))).flat();
    }
  }
}
