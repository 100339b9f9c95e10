/** Where a soak plays: a world with a Redis of its own, workers behind proxies, one remote with traps for pushes. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TaskState } from '../../../../src/index.ts';
import type { Proxy } from '../proxy.ts';
import { PushTrap } from '../push-trap.ts';
import type { Random } from '../random.ts';
import type { WorkerProcess } from '../worker-process.ts';
import { World, type WorldPlace } from '../world-core.ts';
import { drawTask } from './tasks.ts';

const CONCURRENCY = 3;
const LEASE_TTL = '2s';

/** A worker and its way to Redis. */
export interface Post {
  readonly worker: WorkerProcess;
  readonly proxy: Proxy;
}

/** See the head of this file. */
export class Stage {
  readonly world: World;
  readonly random: Random;
  readonly trap: PushTrap;
  /** The states that each task may end in, as far as it is not cancelled. */
  readonly ends = new Map<string, readonly TaskState[]>();
  readonly #posts: Post[] = [];
  #drawn = 0;

  private constructor(world: World, random: Random) {
    this.world = world;
    this.random = random;
    this.trap = new PushTrap(world.remote());
  }

  /** Makes the world and starts its workers. */
  static async open(place: WorldPlace, random: Random, workers: number): Promise<Stage> {
    const world = await World.open({ redis: 'own', leaseTtl: LEASE_TTL, canary: 'canary-of-the-soak+/' }, place);
    try {
      const stage = new Stage(world, random);
      for (let i = 0; i < workers; i += 1) await stage.hire();
      return stage;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** The workers that live. */
  get posts(): readonly Post[] {
    return this.#posts.filter(({ worker }) => worker.isAlive);
  }

  /** Starts one more worker. */
  async hire(): Promise<void> {
    const { proxy, env } = await this.world.proxy();
    const [worker] = await this.world.startWorkers(1, { concurrency: CONCURRENCY, env });
    if (worker !== undefined) this.#posts.push({ worker, proxy });
  }

  /** One of the workers, rather one that runs something. */
  async pick(): Promise<Post> {
    const { runners } = await this.world.client.status();
    const busy = this.posts.filter(({ worker }) => runners.some(({ workerId }) => workerId === worker.id));
    const [post] = this.random.some(busy.length > 0 ? busy : this.posts, 1);
    if (post === undefined) throw new Error('the soak has no worker left');
    return post;
  }

  /** Submits tasks until so many have not ended. */
  async feed(open: number): Promise<void> {
    const { queued, scheduled, blocked, running } = await this.world.client.status();
    const missing = open - (queued + scheduled + blocked + running);
    if (missing <= 0) return;
    const drawn = Array.from({ length: missing }, () => drawTask(this.random, this.world.stamps, (this.#drawn += 1)));
    const ids = await this.world.submitAll(drawn.map(({ task }) => task));
    for (const [i, id] of ids.entries()) this.ends.set(id, drawn[i]?.ends ?? []);
  }

  /** The workers whose pushes are held in the trap. */
  holders(): Post[] {
    const ancestors = this.trap.held.map(ancestorsOf);
    return this.posts.filter(({ worker }) => ancestors.some((pids) => pids.includes(worker.pid)));
  }

  /** Ends all that is done to anybody. What was done before must be over for Redis. */
  heal(): void {
    this.trap.disarm();
    for (const { worker, proxy } of this.posts) {
      worker.thaw();
      proxy.treat({ kind: 'pass' });
    }
  }

  /** Resolves after some time, sooner if a worker dies by itself; rejects then. */
  async pass(ms: number): Promise<void> {
    const timer = AbortSignal.timeout(ms);
    await once(timer, 'abort');
    const lost = this.#posts.find(
      ({ worker }) => !worker.isAlive && worker.killedAt === undefined && !worker.wasStopped,
    );
    if (lost !== undefined) throw new Error(`worker ${lost.worker.pid} ended by itself`);
  }
}

/** A process, its parent, the parent of that, and so on. */
function ancestorsOf(pid: number): number[] {
  const found: number[] = [];
  for (let next = pid; next > 1 && !found.includes(next); next = parentOf(next)) found.push(next);
  return found;
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}
