/** What befalls a soak, one thing after the other; each does its deed, waits until it has told, and undoes it. */

import { supervisorOf } from '../processes.ts';
import { startRedis, stopRedis } from '../redis-restart.ts';
import { until } from '../until.ts';
import type { WorkerProcess } from '../worker-process.ts';
import type { Post, Stage } from './stage.ts';

/** Something that befalls a soak. False: it found nothing to befall. */
export interface Fault {
  readonly name: string;
  /** How often it comes, compared to the others. */
  readonly weight: number;
  readonly strike: (stage: Stage) => Promise<boolean>;
}

/** Longer than it takes to be given up: a lease of 2 s, and as much again for the reaper. */
const LONG_MS = 5_000;
const PATIENCE_MS = 20_000;

/** All of them. */
export const FAULTS: readonly Fault[] = [
  { name: 'a worker is killed', weight: 4, strike: killed },
  { name: 'a worker stands still for longer than its lease', weight: 2, strike: frozen(LONG_MS) },
  { name: 'a worker stands still for a moment', weight: 1, strike: frozen(400) },
  { name: 'a supervisor is killed', weight: 2, strike: supervisorKilled },
  { name: 'a worker is stopped and replaced', weight: 2, strike: stopped },
  { name: 'Redis stands still for longer than a lease', weight: 1, strike: redisFrozen(LONG_MS) },
  { name: 'Redis stands still for a moment', weight: 1, strike: redisFrozen(400) },
  { name: 'Redis is killed and started again', weight: 1, strike: redisKilled },
  { name: 'a worker is cut off from Redis', weight: 2, strike: treated('hole', LONG_MS) },
  { name: 'the answers of Redis are lost', weight: 1, strike: treated('mute', LONG_MS) },
  { name: 'the way to Redis is slow', weight: 1, strike: treated('delay', LONG_MS) },
  { name: 'connections to Redis are cut', weight: 1, strike: reset },
  { name: 'a push arrives after its run was superseded', weight: 3, strike: latePush },
  { name: 'a worker is killed while its push is under way', weight: 2, strike: killedInPush },
  { name: 'the remote dies before the refs have moved', weight: 2, strike: remoteDies('pre-receive') },
  { name: 'the remote dies after the refs have moved', weight: 2, strike: remoteDies('post-receive') },
  { name: 'a lease is deleted', weight: 1, strike: leaseDeleted },
  { name: 'a task is cancelled', weight: 2, strike: cancelled },
  { name: 'the queue is paused', weight: 1, strike: paused },
  { name: 'the cap is lowered', weight: 1, strike: capped },
];

async function killed(stage: Stage): Promise<boolean> {
  const { worker } = await stage.pick();
  await worker.kill();
  await stage.hire();
  return true;
}

function frozen(ms: number): Fault['strike'] {
  return async (stage) => {
    const { worker } = await stage.pick();
    worker.freeze();
    await stage.pass(ms);
    worker.thaw();
    return true;
  };
}

async function supervisorKilled(stage: Stage): Promise<boolean> {
  const { worker } = await stage.pick();
  const pid = supervisorOf(worker.pid);
  if (pid === undefined) return false;
  // What its runs had claimed is freed by the reaper or by their worker, whichever is first.
  stage.world.hasLostLeases = true;
  process.kill(pid, 'SIGKILL');
  await until('it is replaced or was not needed', () => supervisorOf(worker.pid) !== pid, PATIENCE_MS);
  return true;
}

async function stopped(stage: Stage): Promise<boolean> {
  const { worker } = await stage.pick();
  await stage.hire();
  const code = await worker.stop();
  if (code !== 0) throw new Error(`a worker that was stopped ended with ${code}`);
  return true;
}

function redisFrozen(ms: number): Fault['strike'] {
  return async (stage) => {
    const pid = stage.world.redis?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      await stage.pass(ms);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until('Redis answers', async () => await stage.world.client.status().catch(() => undefined));
    return true;
  };
}

async function redisKilled(stage: Stage): Promise<boolean> {
  await stopRedis(stage.world, 'SIGKILL');
  await stage.pass(stage.random.below(3_000));
  await startRedis(stage.world);
  return true;
}

function treated(kind: 'hole' | 'mute' | 'delay', ms: number): Fault['strike'] {
  return async (stage) => {
    const { proxy } = await stage.pick();
    proxy.treat(kind === 'delay' ? { kind, ms: 150 } : { kind });
    await stage.pass(ms);
    proxy.treat({ kind: 'pass' });
    return true;
  };
}

async function reset(stage: Stage): Promise<boolean> {
  const { proxy } = await stage.pick();
  proxy.reset();
  return true;
}

/** The run stands still in its push, another one begins, and then the push goes on. */
async function latePush(stage: Stage): Promise<boolean> {
  const post = await heldInPush(stage);
  if (post === undefined) return false;
  const { world, trap } = stage;
  const { worker } = post;
  const taken = takenBy(worker);
  worker.freeze();
  await until(
    'another run has its token',
    () =>
      world
        .events('fence.taken')
        .some(({ taskId, run }) => taken.some((one) => one.taskId === taskId && Number(run) > one.run)),
    PATIENCE_MS,
  ).catch(() => {
    // It may have been cancelled just then, or its claim may be waited for by many others.
  });
  trap.release();
  worker.thaw();
  return true;
}

async function killedInPush(stage: Stage): Promise<boolean> {
  const post = await heldInPush(stage);
  if (post === undefined) return false;
  await post.worker.kill();
  await stage.hire();
  await stage.pass(stage.random.below(LONG_MS));
  stage.trap.release();
  return true;
}

function remoteDies(place: 'pre-receive' | 'post-receive'): Fault['strike'] {
  return async ({ trap }) => {
    const before = trap.sprung;
    trap.arm(place, 'hang_up');
    await until('a push met it', () => trap.sprung > before, PATIENCE_MS).catch(() => {});
    trap.disarm();
    return trap.sprung > before;
  };
}

async function leaseDeleted({ world, random }: Stage): Promise<boolean> {
  const { redis, keys } = world.client.queue;
  const [lease] = random.some((await redis.keys(`${keys.prefix}lease:*`)).sort(), 1);
  if (lease === undefined) return false;
  world.hasLostLeases = true;
  return (await redis.del(lease)) === 1;
}

async function cancelled({ world, random, ends }: Stage): Promise<boolean> {
  const open = (await world.client.list({ limit: 30 })).filter(({ state }) =>
    ['queued', 'blocked', 'running', 'scheduled'].includes(state),
  );
  const [task] = random.some(open, 1);
  if (task === undefined) return false;
  ends.set(task.id, [...(ends.get(task.id) ?? []), 'cancelled']);
  // It may have ended just now.
  return await world.client.cancel(task.id).then(
    () => true,
    () => false,
  );
}

async function paused(stage: Stage): Promise<boolean> {
  await stage.world.client.pause();
  await stage.pass(stage.random.below(1_500));
  await stage.world.client.resume();
  return true;
}

async function capped(stage: Stage): Promise<boolean> {
  const { client } = stage.world;
  await client.setLimit('max_parallel_runners', 1 + stage.random.below(3));
  await stage.pass(stage.random.below(3_000));
  await client.setLimit('max_parallel_runners', null);
  return true;
}

/** Waits until a push is held at the remote; answers whose. */
async function heldInPush(stage: Stage): Promise<Post | undefined> {
  stage.trap.arm('pre-receive', 'hold');
  const post = await until('a push is held', () => stage.holders()[0], PATIENCE_MS).catch(() => undefined);
  if (post === undefined) stage.trap.disarm();
  return post;
}

/** The runs that a worker has begun and not ended, with their tokens. */
function takenBy(worker: WorkerProcess): { readonly taskId: unknown; readonly run: number }[] {
  const released = new Set(worker.events('claim.released').map(({ runnerId }) => runnerId));
  return worker
    .events('fence.taken')
    .filter(({ runnerId }) => !released.has(runnerId))
    .map(({ taskId, run }) => ({ taskId, run: Number(run) }));
}
