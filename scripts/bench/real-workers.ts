/** Workers as users run them, `signalbox worker`, each a process of its own from the build. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Signalbox } from '../../src/client/signalbox.ts';
import type { Program } from '../sandbox/program.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

const CLI = new URL('../../dist/src/cli/main.js', import.meta.url);

/** Which workers to start. */
export interface RealWorkers {
  readonly count: number;
  readonly concurrency: number;
  readonly leaseTtl?: string;
}

/** Starts workers on the client's queue; resolves when all take tasks. */
export async function startWorkers(
  sandbox: Sandbox,
  box: Signalbox,
  { count, concurrency, leaseTtl }: RealWorkers,
): Promise<Program[]> {
  const { queue, redisUrl, dataDir } = box.config;
  const env = {
    REDIS_URL: redisUrl,
    SIGNALBOX_QUEUE: queue,
    SIGNALBOX_DATA: dataDir,
    SIGNALBOX_CONCURRENCY: String(concurrency),
    SIGNALBOX_LOG_LEVEL: 'warn',
    ...(leaseTtl === undefined ? {} : { SIGNALBOX_LEASE_TTL: leaseTtl }),
  };
  const programs = Array.from({ length: count }, (_, i) =>
    sandbox.start({ name: `signalbox worker ${i + 1}`, file: CLI, args: ['worker'], env }),
  );
  while ((await box.status()).workers.length < count) {
    const dead = programs.find(({ running }) => !running);
    if (dead !== undefined) throw new Error(`${dead.name} died: ${dead.lines.slice(-10).join('\n')}`);
    await delay(50);
  }
  return programs;
}
