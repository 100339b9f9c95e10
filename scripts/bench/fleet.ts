/** The worker processes of the bench, and one run of some tasks on them. */

import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import type { Program } from '../sandbox/program.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { makespan, type Note, overlaps } from './stats.ts';
import { SYSTEMS, type SystemName } from './systems/all.ts';
import type { Place, Seen } from './systems/system.ts';
import type { Order } from './worker.ts';
import type { BenchTask } from './workload.ts';

/** How many worker processes there are, and how many tasks each runs at once. */
export const WORKERS = 2;
/** See {@link WORKERS}. */
export const CONCURRENCY = 8;

/** What one run gave. */
export interface RunResult {
  readonly notes: readonly Note[];
  readonly makespanMs: number;
  readonly blocked: number;
  readonly deadManFired: number;
  readonly overlaps: readonly string[];
}

const LOOK_EVERY_MS = 50;

/** The processes, which serve one run after the other: like a fleet's, they are warm. */
export class Fleet {
  readonly #sandbox: Sandbox;
  readonly #programs: readonly Program[];
  /** Ends waits. */
  readonly #signal: AbortSignal;

  constructor(
    sandbox: Sandbox,
    { profileDir, signal }: { readonly profileDir?: string | undefined; readonly signal: AbortSignal },
  ) {
    this.#sandbox = sandbox;
    this.#signal = signal;
    const execArgv = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    this.#programs = Array.from({ length: WORKERS }, (_, i) =>
      sandbox.start({ name: `worker ${i + 1}`, file: new URL('./worker.ts', import.meta.url), execArgv }),
    );
  }

  /** Runs tasks on a system, on a queue of their own. */
  async run(system: SystemName, tasks: readonly BenchTask[]): Promise<RunResult> {
    const place = await this.#newPlace();
    return resultOf(await this.#serve(system, { place, tasks }), tasks);
  }

  /** Has workers of Signalbox at a place of their own while `submit` queues these tasks and waits for them. */
  async drive(
    tasks: readonly BenchTask[],
    submit: (place: Place, signal: AbortSignal) => Promise<void>,
  ): Promise<RunResult> {
    const place = await this.#newPlace();
    await this.#tell({ open: 'signalbox', place });
    await submit(place, this.#signal);
    return resultOf((await this.#tell({ close: true })) as Seen[], tasks);
  }

  async #newPlace(): Promise<Place> {
    const { redisUrl, dir } = this.#sandbox;
    const queue = `bench-${ulid().toLowerCase()}`;
    const place = { redisUrl, queue, concurrency: CONCURRENCY, dir: join(dir, 'data') };
    await mkdir(place.dir, { recursive: true });
    return place;
  }

  async #serve(
    system: SystemName,
    { place, tasks }: { readonly place: Place; readonly tasks: readonly BenchTask[] },
  ): Promise<Seen[]> {
    const producer = await SYSTEMS[system].openProducer(place);
    try {
      await this.#tell({ open: system, place });
      await producer.submit(tasks);
      while ((await producer.finished()) < tasks.length) {
        this.#signal.throwIfAborted();
        await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
      }
      return (await this.#tell({ close: true })) as Seen[];
    } finally {
      await producer.close();
    }
  }

  async #tell(order: Order): Promise<unknown[]> {
    return await Promise.all(
      this.#programs.map(async ({ name, child, exited, lines }) => {
        const answered = once(child, 'message', { signal: this.#signal });
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

function resultOf(seen: readonly Seen[], tasks: readonly BenchTask[]): RunResult {
  const notes = seen.flatMap((one) => one.notes);
  return {
    notes,
    makespanMs: makespan(notes),
    blocked: seen.reduce((sum, one) => sum + one.blocked, 0),
    deadManFired: seen.reduce((sum, one) => sum + one.deadManFired, 0),
    overlaps: overlaps(notes, tasks),
  };
}
