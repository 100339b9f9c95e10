/** One system at a place of its own: tasks are queued, workers run them, and what that cost is read. */

import type { Fleet } from './fleet.ts';
import { type Cost, type ProcessReading, type RedisReading, readRedis } from './readings.ts';
import { makespan, type Note, overlaps } from './stats.ts';
import { SYSTEMS, type SystemName } from './systems/all.ts';
import type { Place, Producer, Seen } from './systems/system.ts';
import type { BenchTask } from './workload.ts';

/** What one run gave. */
export interface RunResult {
  readonly notes: readonly Note[];
  readonly makespanMs: number;
  readonly blocked: number;
  readonly deadManFired: number;
  readonly overlaps: readonly string[];
}

const LOOK_EVERY_MS = 20;
const PATIENCE_MS = 240_000;

interface Parts {
  readonly fleet: Fleet;
  readonly workers: number;
  readonly place: Place;
}

interface Start {
  readonly redis: RedisReading;
  readonly workers: readonly ProcessReading[];
  readonly atMs: number;
}

/** Open workers, and the side that queues. Workers begin with `start`: what is measured is running, not adding. */
export class Trial implements AsyncDisposable {
  readonly place: Place;
  readonly producer: Producer;
  readonly #system: SystemName;
  readonly #parts: Parts;
  readonly #tasks: BenchTask[] = [];
  #start: Start | undefined;
  #seen: Seen[] | undefined;

  private constructor(system: SystemName, parts: Parts, producer: Producer) {
    this.#system = system;
    this.#parts = parts;
    this.place = parts.place;
    this.producer = producer;
  }

  /** Opens both sides; nothing is taken yet. */
  static async open(system: SystemName, parts: Parts): Promise<Trial> {
    const producer = await SYSTEMS[system].openProducer(parts.place);
    try {
      await producer.pause();
      if (SYSTEMS[system].opensLate !== true) await parts.fleet.open(system, parts);
    } catch (error) {
      await producer.close();
      throw error;
    }
    return new Trial(system, parts, producer);
  }

  /** Queues tasks. */
  async add(tasks: readonly BenchTask[]): Promise<void> {
    await this.producer.add(tasks, this.#tasks.length);
    for (const task of tasks) this.#tasks.push(task);
  }

  /** Takes note of tasks that somebody else queues: their number is their place in this list. */
  expect(tasks: readonly BenchTask[]): void {
    for (const task of tasks) this.#tasks.push(task);
  }

  /** Lets the workers begin, or go on after a pause. What is spent from now on is what the trial costs. */
  async start(): Promise<void> {
    this.#start = await this.#read();
    if (SYSTEMS[this.#system].opensLate === true) await this.#parts.fleet.open(this.#system, this.#parts);
    await this.producer.resume();
  }

  /** Resolves when so many tasks have ended. Throws if one failed. */
  async ended(count: number): Promise<void> {
    await this.until(async () => (await this.producer.finished()) >= count);
  }

  /** Resolves when this is so. Throws if it is not after minutes: then it never will be. */
  async until(isSo: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!(await isSo())) {
      this.#parts.fleet.signal.throwIfAborted();
      if (performance.now() > end) throw new Error(`${this.#system} did not get there in ${PATIENCE_MS / 60_000} min`);
      await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    }
  }

  /** What was spent since `start`. */
  async cost(): Promise<Cost> {
    const [before, now] = [this.#start, await this.#read()];
    if (before === undefined) throw new Error('a trial costs nothing before it has begun');
    const workerCpuUs = sumOf(now.workers) - sumOf(before.workers);
    return {
      cpuUs: now.redis.cpuUs - before.redis.cpuUs,
      commands: now.redis.commands - before.redis.commands,
      scripts: now.redis.scripts - before.redis.scripts,
      reads: now.redis.reads - before.redis.reads,
      workerCpuUs,
      wallMs: now.atMs - before.atMs,
    };
  }

  /** The most that a worker process holds in memory now, in bytes. */
  async rssBytes(): Promise<number> {
    return Math.max(...(await this.#parts.fleet.read(this.#parts.workers)).map(({ rssBytes }) => rssBytes));
  }

  /** Closes the workers and answers what they have seen. What has not begun stays in the queue. */
  async stop(): Promise<RunResult> {
    this.#seen ??= await this.#parts.fleet.close(this.#parts.workers);
    const notes = this.#seen.flatMap((one) => one.notes);
    return {
      notes,
      makespanMs: makespan(notes),
      blocked: this.#seen.reduce((sum, one) => sum + one.blocked, 0),
      deadManFired: this.#seen.reduce((sum, one) => sum + one.deadManFired, 0),
      overlaps: overlaps(notes, this.#tasks),
    };
  }

  /** Closes both sides and forgets the queue, so that the next trial finds an empty Redis. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { fleet } = this.#parts;
    // After an error a worker may be beyond closing; its process is stopped with the fleet.
    if (!fleet.signal.aborted) await this.stop().catch(() => {});
    await this.producer.close();
    await fleet.redis.flushdb('SYNC');
  }

  async #read(): Promise<Start> {
    const { fleet, workers } = this.#parts;
    const [redis, processes] = await Promise.all([readRedis(fleet.redis), fleet.read(workers)]);
    return { redis, workers: processes, atMs: performance.now() };
  }
}

function sumOf(readings: readonly ProcessReading[]): number {
  return readings.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
}
