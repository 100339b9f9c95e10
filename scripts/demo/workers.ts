/** The demo's worker processes. */

import { join } from 'node:path';
import type { Signalbox } from '../../src/client/signalbox.ts';
import type { Program } from '../sandbox/program.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** How they are called. */
export const WORKERS = ['A', 'B'];
/** How many tasks each runs at once. */
export const SLOTS = 3;

const START_TIMEOUT_MS = 60_000;

/** Starts them, each with a data folder of its own, as if it were on a machine of its own. */
export function startWorkers(sandbox: Sandbox): Program[] {
  return WORKERS.map((name) => startWorker(sandbox, name));
}

function startWorker(sandbox: Sandbox, name: string): Program {
  const env = {
    REDIS_URL: sandbox.redisUrl,
    SIGNALBOX_QUEUE: sandbox.queue,
    SIGNALBOX_DATA: join(sandbox.dir, `worker-${name}`),
    SIGNALBOX_CONCURRENCY: String(SLOTS),
    SIGNALBOX_LOG_LEVEL: 'info',
  };
  return sandbox.start({
    name: `worker ${name}`,
    file: new URL('../../workers/worker.ts', import.meta.url),
    args: [name, '0'],
    env,
  });
}

/** The names of the workers by their ids, once all have registered. Throws what one printed that did not start. */
export async function registered(
  signalbox: Signalbox,
  programs: readonly Program[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    const { workers } = await signalbox.status();
    const known = workers.flatMap(({ id, pid }) => {
      const program = programs.findIndex((one) => one.pid === pid);
      return program < 0 ? [] : [[id, WORKERS[program] ?? id] as const];
    });
    if (known.length === programs.length) return new Map(known.sort(([, a], [, b]) => (a < b ? -1 : 1)));
    const dead = programs.find(({ running }) => !running);
    if (dead !== undefined || Date.now() > until) {
      const { name, lines } = dead ?? programs[0] ?? { name: 'a worker', lines: [] };
      throw new Error(`${name} did not start:\n${lines.slice(-20).join('\n')}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}
