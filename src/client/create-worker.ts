/** A worker inside a program of one's own, with handlers written in TypeScript. */

import { loadConfig } from '../config/config.ts';
import type { Options } from '../config/options.ts';
import { processSources } from '../config/process.ts';
import type { Handlers } from '../runner/services.ts';
import { startWorker, type Worker } from '../runner/worker.ts';
import type { Events } from '../telemetry/events.ts';

/** What a worker is made from: options over the environment over `signalbox.yaml`, and its handlers. */
export interface CreateWorkerOptions extends Options {
  /** Functions that steps call by `handler: name`. */
  readonly handlers?: Handlers;
  /** How it is shown in `status`. */
  readonly name?: string;
  /** Where its events go; default: its log on stderr. */
  readonly events?: Events;
}

/** Starts a worker in this process; resolves when it takes tasks. Throws INVALID or REDIS_UNREACHABLE. */
export async function createWorker({ handlers, name, events, ...options }: CreateWorkerOptions = {}): Promise<Worker> {
  const sources = processSources();
  return await startWorker({
    config: loadConfig({ ...sources, flags: options }),
    env: sources.env,
    ...(handlers === undefined ? {} : { handlers }),
    ...(name === undefined ? {} : { name }),
    ...(events === undefined ? {} : { events }),
  });
}
