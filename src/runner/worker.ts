/** A worker: takes tasks from the queue and runs up to `concurrency` of them. This file only puts it together. */

import { hostname } from 'node:os';
import { processClock } from '../claims/claim.ts';
import type { Config } from '../config/config.ts';
import { ForkServer } from '../git/fork-server/client.ts';
import { createGit } from '../git/git.ts';
import { createMirrors } from '../git/mirror.ts';
import { SpareWorkspaces } from '../git/spare-workspaces.ts';
import { Consumer } from '../queue/consumer.ts';
import { TaskQueue } from '../queue/task-queue.ts';
import type { Connection } from '../redis/connect.ts';
import { unreachable, workerConnection } from '../redis/connect.ts';
import { newWorkerId } from '../task/ids.ts';
import { STORED_VERSION } from '../task/stored.ts';
import { createEvents, type Events } from '../telemetry/events.ts';
import { createLogger, logEvents } from '../telemetry/log.ts';
import { startCounting } from '../telemetry/metrics/store.ts';
import { listen } from './control.ts';
import { reportFitness } from './fitness.ts';
import { startMergeWatch } from './merge-watch.ts';
import { startNotifying } from './notify/notify.ts';
import { type Receiver, readReceivers } from './notify/receivers.ts';
import { Reaper } from './reaper.ts';
import { register, type WorkerFacts } from './registry.ts';
import type { Run } from './run.ts';
import { runTask } from './run-task.ts';
import type { Handlers, Services } from './services.ts';
import { Solitude } from './solitude.ts';
import { Supervision } from './supervision.ts';
import { endLeftovers } from './supervisor/leftovers.ts';
import { startSweeping } from './sweep.ts';
import { traceRuns } from './tracing.ts';

/** What a worker is made from. */
export interface WorkerOptions {
  readonly config: Readonly<Config>;
  /** Functions that steps may call by name. */
  readonly handlers?: Handlers;
  /** How it is shown; default: its id. */
  readonly name?: string;
  /** Where its events go; default: new ones, written to the log on stderr. */
  readonly events?: Events;
  /** The environment that git and steps draw from; default `{}`: nothing is passed on. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A worker that runs. */
export interface Worker {
  readonly id: string;
  /** Resolves when it has stopped, be it by `stop` or because it was drained from afar. */
  readonly ended: Promise<void>;
  /**
   * Takes no more tasks. Runs that have not ended after `drainMs` (default: none are stopped) go back to the queue.
   * May be called again to hurry: the earliest end of patience counts.
   */
  stop(options?: { readonly drainMs?: number }): Promise<void>;
}

/** How long Redis may take to answer when a worker starts. */
const START_TIMEOUT_MS = 10_000;

/** How often a hurried stop looks for runs that have begun meanwhile. */
const STOP_ROUND_MS = 100;

/**
 * Starts a worker; resolves when it takes tasks. Throws REDIS_UNREACHABLE when Redis does not answer, and INVALID for a
 * webhook's secret that it does not have.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config, name } = options;
  const events = options.events ?? loggedEvents(config);
  const receivers = await readReceivers(config, options.env ?? {});
  const id = newWorkerId();
  const redis = workerConnection(config.redisUrl, id);
  await answering(redis, config.redisUrl);
  reportOutages(redis, events);
  await reportFitness(redis, events, config.leaseTtlMs);
  const queue = new TaskQueue(redis, config);
  const stopCounting = startCounting({ redis, keys: queue.keys, events, everyMs: config.renewEveryMs });
  const supervision = new Supervision({ events, workerId: id, env: options.env ?? {}, answerMs: config.answerMs });
  const forkServer = new ForkServer((reason) =>
    events.emit({ type: 'worker.fork_server_replaced', workerId: id, reason }),
  );
  const git = createGit({ env: options.env ?? {}, start: forkServer.start });
  const services = servicesOf(options, { id, queue, events, git, supervision });
  traceRuns(events, services.runs);
  await applyCap(queue, config.maxParallelRunners);
  const consumer = new Consumer({
    redis,
    keys: queue.keys,
    bull: queue.bull,
    concurrency: config.concurrency,
    lockDurationMs: config.lockDurationMs,
    stalledIntervalMs: config.stalledIntervalMs,
    take: async (job) => await runTask(job, services),
    onError: (error) => events.emit({ type: 'queue.error', reason: error.message }),
  });
  const reaper = new Reaper({ queue, timings: config, clock: services.clock, events, endLeftovers });
  const facts = factsOf({ id, name: name ?? id, host: services.host }, config);
  const unregister = await register(facts, { redis, keys: queue.keys, ...config });
  const leaving = new AbortController();
  const unlisten = await listen(services, () => leaving.abort());
  const stopChores = await startChores(services, reaper, receivers);
  await consumer.start();
  const { host, pid, concurrency } = facts;
  events.emit({ type: 'worker.started', workerId: id, host, pid, concurrency });

  const end = async (): Promise<void> => {
    events.emit({ type: 'worker.draining', workerId: id, running: services.runs.size });
    await consumer.stop();
    unlisten();
    await Promise.all([stopChores(), unregister(), supervision.stop(), services.spares.stop()]);
    await forkServer.stop();
    await stopCounting();
    await queue.close();
    redis.disconnect();
    events.emit({ type: 'worker.stopped', workerId: id });
  };
  const ended = aborted(leaving.signal).then(end);
  // Whoever waits for the end is told; nobody need wait.
  ended.catch(() => {});
  const stop: Worker['stop'] = async ({ drainMs } = {}) => {
    if (drainMs !== undefined) setTimeout(() => stopAllFromNow(services.runs), drainMs).unref();
    leaving.abort();
    await ended;
  };
  return { id, ended, stop };
}

/** Starts what a worker does beside running tasks; the answer ends it. */
async function startChores(
  services: Services,
  reaper: Reaper,
  receivers: readonly Receiver[],
): Promise<() => Promise<void>> {
  reaper.start();
  const stops = [
    async () => await reaper.stop(),
    startSweeping(services),
    startMergeWatch(services),
    await startNotifying(services, receivers),
  ];
  return async () => void (await Promise.all(stops.map(async (stop) => await stop())));
}

function factsOf(
  own: Pick<WorkerFacts, 'id' | 'name' | 'host'>,
  { concurrency, leaseTtlMs }: Readonly<Config>,
): WorkerFacts {
  const startedAt = new Date().toISOString();
  return { ...own, pid: process.pid, concurrency, startedAt, reads: STORED_VERSION, leaseTtlMs };
}

function servicesOf(
  { config, handlers = {}, env = {} }: WorkerOptions,
  made: Pick<Services, 'queue' | 'events' | 'git'> & { readonly id: string; readonly supervision: Supervision },
): Services {
  return {
    config,
    queue: made.queue,
    events: made.events,
    git: made.git,
    mirrors: createMirrors({ git: made.git, dataDir: config.dataDir }),
    spares: new SpareWorkspaces(config),
    supervisor: made.supervision.supervisor,
    handlers,
    solitude: new Solitude(),
    runs: new Map(),
    clock: processClock,
    leftBehind: new Set(),
    env,
    workerId: made.id,
    host: hostname(),
  };
}

/** Tells when Redis goes away and comes back. */
function reportOutages(redis: Connection, events: Events): void {
  let awaySince: number | undefined;
  redis.on('close', () => {
    if (awaySince !== undefined || redis.status === 'end') return;
    awaySince = performance.now();
    events.emit({ type: 'redis.disconnected', reason: 'the connection was closed; trying again' });
  });
  redis.on('ready', () => {
    if (awaySince === undefined) return;
    events.emit({ type: 'redis.reconnected', awayMs: Math.round(performance.now() - awaySince) });
    awaySince = undefined;
  });
}

/** Stops all runs, in rounds: a task that was just being claimed opens its run after the first one. */
function stopAllFromNow(runs: ReadonlyMap<string, Run>): void {
  for (const run of runs.values()) run.stop('drain');
  setTimeout(() => stopAllFromNow(runs), STOP_ROUND_MS).unref();
}

async function answering(redis: Connection, url: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let last: unknown = new Error(`no answer in ${START_TIMEOUT_MS} ms`);
  redis.on('error', (error) => {
    last = error;
  });
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(unreachable(url, last)), START_TIMEOUT_MS);
  });
  try {
    await Promise.race([redis.ping(), late]);
  } catch (error) {
    redis.disconnect();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A configured cap is the queue's until somebody sets one by `limits`, which then stays. */
async function applyCap(queue: TaskQueue, cap: number | undefined): Promise<void> {
  if (cap === undefined || (await queue.redis.hexists(queue.keys.all('meta'), 'capSet')) === 1) return;
  await queue.bull.setCap(cap);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function loggedEvents(config: Config): Events {
  const events = createEvents();
  logEvents(events, createLogger({ level: config.logLevel, name: 'worker' }));
  return events;
}
