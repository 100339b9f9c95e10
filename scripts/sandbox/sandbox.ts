/**
 * A place of its own for a demonstration or a measurement: a temporary folder, a private Redis in it (or a queue of
 * its own in the one that REDIS_URL names), and Node processes. Closing it stops and removes all of them.
 */

import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { ulid } from 'ulid';
import { startEmbeddedRedis } from '../../src/redis/embedded.ts';
import { queueKeys } from '../../src/redis/keys.ts';
import { type Program, type ProgramOptions, startProgram } from './program.ts';

/** What a sandbox is opened with. */
export interface SandboxOptions {
  /** Begins the names of its folder and its queue: lower-case letters. */
  readonly name: string;
  /** A Redis to share; without it a private one is started. */
  readonly redisUrl?: string | undefined;
  /** Leaves the folder where it is. */
  readonly keep?: boolean;
}

/** An open sandbox. */
export class Sandbox implements AsyncDisposable {
  /** Its folder, without symbolic links. */
  readonly dir: string;
  readonly redisUrl: string;
  /** A queue name that nobody else uses. */
  readonly queue: string;
  readonly keep: boolean;
  readonly programs: Program[] = [];
  readonly #stopRedis: () => Promise<void>;

  constructor(made: Pick<Sandbox, 'dir' | 'redisUrl' | 'queue' | 'keep'>, stopRedis: () => Promise<void>) {
    this.dir = made.dir;
    this.redisUrl = made.redisUrl;
    this.queue = made.queue;
    this.keep = made.keep;
    this.#stopRedis = stopRedis;
  }

  /** Starts a Node process in the sandbox's folder. */
  start(options: Omit<ProgramOptions, 'cwd'>): Program {
    const program = startProgram({ ...options, cwd: this.dir });
    this.programs.push(program);
    return program;
  }

  /** Stops the processes, then Redis, then removes the folder. May be called more than once. */
  async close(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.stop()));
    await this.#stopRedis();
    if (!this.keep) await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Opens a sandbox. Throws what the private Redis throws; nothing is left behind then. */
export async function openSandbox({ name, redisUrl, keep = false }: SandboxOptions): Promise<Sandbox> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), `signalbox-${name}-`)));
  const queue = `${name}-${ulid().toLowerCase()}`;
  try {
    if (redisUrl !== undefined) {
      return new Sandbox({ dir, redisUrl, queue, keep }, async () => await removeQueue(redisUrl, queue));
    }
    const redis = await startEmbeddedRedis({ dir: join(dir, 'redis'), aof: true });
    return new Sandbox({ dir, redisUrl: redis.url, queue, keep }, redis.stop);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Deletes all keys of a queue in a Redis that others use too. */
async function removeQueue(url: string, queue: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  redis.on('error', () => {});
  try {
    const match = `${queueKeys(queue).bull.prefix}*`;
    for await (const keys of redis.scanStream({ match, count: 1_000 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await redis.del(...keys);
    }
  } finally {
    redis.disconnect();
  }
}
