/**
 * A worker as the whole of a process: it drains at the first signal, or when it is told to by `signalbox drain`,
 * hurries at the second, and ends by itself. The third ends it as it is: its supervisor kills its steps, its leases
 * lapse, and its tasks run again elsewhere within the recovery time.
 */

import type { Config } from '../config/config.ts';
import { producerConnection } from '../redis/connect.ts';
import { startWorker, type Worker } from './worker.ts';

/** What such a process is made from. */
export interface WorkerProcessOptions {
  readonly config: Readonly<Config>;
  /** The environment that git and steps draw from. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How it is shown; default: its id. */
  readonly name?: string | undefined;
  /** Called once it takes tasks. */
  readonly onReady?: (worker: Worker) => void;
}

/** How long runs may go on after the first signal: less than the 30 s after which orchestrators kill. */
const DRAIN_MS = 25_000;
/** How long a worker may take to give its runs back once it must, before the process ends without that. */
const HURRY_MS = 15_000;
/** The same when the parent is gone, and most likely its Redis too. */
const ORPHANED_MS = 5_000;

/**
 * Runs a worker until SIGTERM or SIGINT, until it is drained from afar, or until the parent that forked this process is
 * gone. Answers the exit code.
 * Throws REDIS_UNREACHABLE if Redis is away at the start. A signal before it takes tasks ends the process at once.
 */
export async function runWorkerProcess({ config, env, name, onReady }: WorkerProcessOptions): Promise<number> {
  const { drainTimeoutMs = DRAIN_MS } = config;
  // A worker's own connection would wait for it.
  (await producerConnection(config.redisUrl)).disconnect();
  const worker = await startWorker({ config, env, ...(name === undefined ? {} : { name }) });
  return await new Promise<number>((resolve, reject) => {
    worker.ended.then(() => resolve(0), reject);
    let signals = 0;
    const stop = (patienceMs: number): void => {
      void worker.stop({ drainMs: patienceMs }).catch(() => {});
    };
    // Redis may be away, and without it nothing can be given back in order: the leases lapse then.
    const stopWithin = (patienceMs: number, limitMs: number): void => {
      stop(patienceMs);
      setTimeout(() => resolve(1), patienceMs + limitMs).unref();
    };
    const signalled = (): void => {
      signals += 1;
      if (signals > 2) resolve(1);
      else stopWithin(signals === 1 ? drainTimeoutMs : 0, HURRY_MS);
    };
    process.on('SIGTERM', signalled);
    process.on('SIGINT', signalled);
    process.once('disconnect', () => stopWithin(0, ORPHANED_MS));
    onReady?.(worker);
  });
}
