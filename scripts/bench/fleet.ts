/** The worker processes of the bench: each serves one trial after the other, so that like a fleet's they are warm. */

import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Program } from '../sandbox/program.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Cost, ProcessReading } from './readings.ts';
import type { SystemName } from './systems/all.ts';
import type { Place, Seen } from './systems/system.ts';
import { type RunResult, Trial } from './trial.ts';
import type { Order } from './worker.ts';
import type { BenchTask } from './workload.ts';

/** How many worker processes there are, if nothing else is said. */
export const WORKERS = 2;
/** How many tasks each runs at once, if nothing else is said. */
export const CONCURRENCY = 8;

/** A run of tasks from the first to the last, with what it cost. */
export interface WholeRun extends RunResult {
  readonly cost: Cost;
}

/** Where the processes run. */
export interface FleetOptions {
  readonly sandbox: Sandbox;
  readonly redis: Redis;
  /** The default is {@link WORKERS}. */
  readonly workers?: number;
  /** Where the processes leave their profiles, and how these are called. */
  readonly profile?: { readonly dir: string; readonly name: string } | undefined;
  /** Ends waits. */
  readonly signal: AbortSignal;
  readonly postgresUrl?: string | undefined;
}

/** Which of the processes serve a trial, and how many tasks each takes at once. */
export interface Crew {
  readonly workers?: number;
  readonly concurrency?: number;
}

/** The processes. */
export class Fleet implements AsyncDisposable {
  readonly redis: Redis;
  /** Ends waits. */
  readonly signal: AbortSignal;
  readonly #sandbox: Sandbox;
  readonly #postgresUrl: string | undefined;
  readonly #programs: readonly Program[];
  #trials = 0;

  constructor({ sandbox, redis, workers = WORKERS, profile, signal, postgresUrl }: FleetOptions) {
    this.#postgresUrl = postgresUrl;
    this.#sandbox = sandbox;
    this.redis = redis;
    this.signal = signal;
    this.#programs = Array.from({ length: workers }, (_, i) => {
      // A folder each, and names by Node: the threads of a process have profiles of their own, also that which loads files.
      const execArgv =
        profile === undefined
          ? []
          : ['--cpu-prof', `--cpu-prof-dir=${join(profile.dir, `${profile.name}-worker-${i + 1}`)}`];
      return sandbox.start({ name: `worker ${i + 1}`, file: new URL('./worker.ts', import.meta.url), execArgv });
    });
  }

  /** How many processes there are. */
  get size(): number {
    return this.#programs.length;
  }

  /** Runs tasks on a system, on a queue of their own, from the first to the last. */
  async run(system: SystemName, tasks: readonly BenchTask[], crew: Crew = {}): Promise<WholeRun> {
    await using trial = await this.trial(system, crew);
    await trial.add(tasks);
    await trial.start();
    await trial.ended(tasks.length);
    const cost = await trial.cost();
    return { ...(await trial.stop()), cost };
  }

  /** Opens workers of a system at a place of its own. Nothing else may run on the fleet until it is closed. */
  async trial(system: SystemName, { workers = this.#programs.length, concurrency = CONCURRENCY }: Crew = {}) {
    const { redisUrl, dir } = this.#sandbox;
    this.#trials += 1;
    // About as long as a queue's name is: it is in every key.
    const queue = `bench-${this.#trials}`;
    const place = { redisUrl, queue, concurrency, dir: join(dir, 'data'), postgresUrl: this.#postgresUrl };
    await mkdir(place.dir, { recursive: true });
    return await Trial.open(system, { fleet: this, workers, place });
  }

  /** Tells the first `workers` processes to open a worker. */
  async open(system: SystemName, { place, workers }: { readonly place: Place; readonly workers: number }) {
    await this.#tell({ open: system, place }, workers);
  }

  /** Closes the workers of these processes and answers what they have seen. */
  async close(workers: number): Promise<Seen[]> {
    return (await this.#tell({ close: true }, workers)) as Seen[];
  }

  /** What these processes have spent so far. */
  async read(workers: number): Promise<ProcessReading[]> {
    return (await this.#tell({ read: true }, workers)) as ProcessReading[];
  }

  /** Stops the processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop()));
  }

  async #tell(order: Order, workers: number): Promise<unknown[]> {
    return await Promise.all(
      this.#programs.slice(0, workers).map(async ({ name, child, exited, lines }) => {
        const answered = once(child, 'message', { signal: this.signal });
        const died = exited.then(() => {
          throw new Error(`${name} died: ${lines.slice(-10).join('\n')}`);
        });
        if (child.connected) child.send(order);
        const [message] = (await Promise.race([answered, died])) as [{ answer?: unknown; error?: string }];
        if (message.error !== undefined) throw new Error(`${name}: ${message.error}`);
        return message.answer;
      }),
    );
  }
}
