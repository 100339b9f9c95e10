/** Finds steps back of Redis's clock, by a clock that does not step, and makes them good. See `clock-step.lua`. */

import type { Clock } from '../claims/clock.ts';
import { Script } from '../redis/scripts.ts';
import type { TaskQueue } from './task-queue.ts';

const CLOCK_STEP = new Script(new URL('./clock-step.lua', import.meta.url));

/** Watches the clock of a queue's Redis from one look to the next. */
export class ClockWatch {
  readonly #queue: TaskQueue;
  readonly #clock: Clock;
  readonly #leastMs: number;
  #last = { redisMs: 0, at: 0 };

  /** Steps of at most `leastMs` are let be: they delay nothing by more than that. */
  constructor(queue: TaskQueue, clock: Clock, leastMs: number) {
    this.#queue = queue;
    this.#clock = clock;
    this.#leastMs = leastMs;
  }

  /** Takes a step back since the last look off what expires in the queue. */
  async look(): Promise<void> {
    const { redis, keys } = this.#queue;
    const active = `${keys.bull.prefix}:${keys.bull.name}:active`;
    const lists = [keys.all('holders'), active, keys.all('workers'), keys.all('tending')];
    const passedMs = Math.floor(this.#clock() - this.#last.at);
    const redisMs = Number(await CLOCK_STEP.run(redis, lists, [this.#last.redisMs, passedMs, this.#leastMs]));
    this.#last = { redisMs, at: this.#clock() };
  }
}
