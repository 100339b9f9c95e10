/** A worker process for system tests: configured by the environment like every worker, with handlers to call. */

import { existsSync } from 'node:fs';
import { appendFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createEvents, createWorker, type Handlers } from '../../../../src/index.ts';
import { createLogger, logEvents } from '../../../../src/telemetry/log.ts';
import { dieAt } from './kill-point.ts';

/** The input of the `work` handler: where it notes when it runs, and how long it does. */
interface WorkInput {
  readonly stamps: string;
  /** Without it, until `gate` is there. */
  readonly ms?: number;
  readonly gate?: string;
}

const TICK_MS = 50;

const handlers: Handlers = {
  /** Runs for some time, or until a file is there, and notes it; ends at once when the run is stopped. */
  work: async (_task, { input, signal, claim }) => {
    const { stamps, ms = 0, gate } = input as WorkInput;
    const stamp = async (word: string): Promise<void> => {
      const now = Math.round((performance.timeOrigin + performance.now()) * 1_000) * 1_000;
      await appendFile(stamps, `${now} ${word} ${claim.taskId} ${claim.runnerId}\n`);
    };
    await stamp('start');
    try {
      if (gate === undefined) await delay(ms, undefined, { signal });
      else while (!(await isThere(gate))) await delay(TICK_MS, undefined, { signal });
    } finally {
      await stamp('end');
    }
  },
  /** Claims further paths, then works as `work` does. */
  grow: async (task, context) => {
    await context.claim(...(context.input as { readonly paths: string[] }).paths);
    await handlers['work']?.(task, context);
  },
  /** Blocks the whole worker until a file is there, but only in a task's first run. */
  hang: (_task, { input, claim }) => {
    const blocked = new Int32Array(new SharedArrayBuffer(4));
    while (claim.run === 1 && !existsSync(String(input))) Atomics.wait(blocked, 0, 0, TICK_MS);
  },
  /** Writes a file into the run's checkout. */
  touch: async (task, { input, workspace }) => {
    await writeFile(join(await workspace(), String(input)), `by ${task.id}\n`);
  },
};

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

const events = createEvents();
// Written down first and at once: where it died is read from its log.
logEvents(events, createLogger({ level: 'debug', name: 'worker' }));
dieAt(events, process.env);
const worker = await createWorker({ handlers, events });

process.once('SIGTERM', () => {
  // Nothing but an open handle could keep the process alive after that; the test that stops it would see it hang.
  void worker.stop();
});
