/**
 * A worker that can be cut off from Redis for good, at any moment, in the middle of whatever it does: for all others it
 * is dead then. It is put together from the parts of `src/runner/worker.ts`.
 */

import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import { processClock } from '../../../src/claims/claim.ts';
import type { Config } from '../../../src/config/config.ts';
import { createGit } from '../../../src/git/git.ts';
import { createMirrors } from '../../../src/git/mirror.ts';
import { SpareWorkspaces } from '../../../src/git/spare-workspaces.ts';
import { Consumer } from '../../../src/queue/consumer.ts';
import { TaskQueue } from '../../../src/queue/task-queue.ts';
import { workerConnection } from '../../../src/redis/connect.ts';
import { listen } from '../../../src/runner/control.ts';
import { Reaper } from '../../../src/runner/reaper.ts';
import { runTask } from '../../../src/runner/run-task.ts';
import type { Handlers, Services } from '../../../src/runner/services.ts';
import { Solitude } from '../../../src/runner/solitude.ts';
import { newWorkerId } from '../../../src/task/ids.ts';
import { createEvents, type Events } from '../../../src/telemetry/events.ts';

/** What it is made from. */
export interface MortalOptions {
  readonly config: Readonly<Config>;
  readonly handlers: Handlers;
  readonly taken: (taskId: string) => void;
}

/** See above. */
export class MortalWorker {
  readonly id = newWorkerId();
  readonly events: Events = createEvents();
  readonly #connections: Redis[] = [];
  readonly #queue: TaskQueue;
  readonly #consumer: Consumer;
  readonly #reaper: Reaper;
  readonly #services: Services;
  #unlisten: () => void = () => {};

  private constructor({ config, handlers, taken }: MortalOptions) {
    const redis = this.#tracked(workerConnection(config.redisUrl, this.id) as Redis);
    this.#queue = new TaskQueue(redis, config);
    const git = createGit({ env: {} });
    this.#services = {
      config,
      queue: this.#queue,
      events: this.events,
      git,
      mirrors: createMirrors({ git, dataDir: config.dataDir }),
      spares: new SpareWorkspaces(config),
      supervisor: async () => await Promise.reject(new Error('these tasks have no commands')),
      handlers,
      solitude: new Solitude(),
      runs: new Map(),
      leftBehind: new Set(),
      clock: processClock,
      env: {},
      workerId: this.id,
      host: hostname(),
    };
    this.#consumer = new Consumer({
      redis,
      keys: this.#queue.keys,
      bull: this.#queue.bull,
      concurrency: config.concurrency,
      lockDurationMs: config.lockDurationMs,
      stalledIntervalMs: config.stalledIntervalMs,
      take: async (job) => {
        taken(job.id);
        return await runTask(job, this.#services);
      },
      onError: () => {},
    });
    this.#reaper = new Reaper({ queue: this.#queue, timings: config, clock: processClock, events: this.events });
  }

  /** Starts one; resolves when it takes tasks. */
  static async start(options: MortalOptions): Promise<MortalWorker> {
    const worker = new MortalWorker(options);
    worker.#unlisten = await listen(worker.#services, () => {});
    worker.#reaper.start();
    await worker.#consumer.start();
    return worker;
  }

  /** Drains it. */
  async stop(): Promise<void> {
    await this.#consumer.stop();
    this.#unlisten();
    await this.#reaper.stop();
    await this.#queue.close();
    this.#cutOff();
  }

  /** Cuts it off. What it still does reaches nobody. */
  kill(): void {
    this.#cutOff();
    void this.#reaper.stop();
    void this.#consumer.stop().catch(() => {});
  }

  #cutOff(): void {
    for (const redis of this.#connections) redis.disconnect();
  }

  /** Notes a connection, and those that are made from it. */
  #tracked(redis: Redis): Redis {
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (options) => this.#tracked(duplicate(options));
    redis.on('error', () => {});
    this.#connections.push(redis);
    return redis;
  }
}
