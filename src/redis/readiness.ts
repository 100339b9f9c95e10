/** When a Redis that was just started can be used, and whether the one that answers is really it. */

import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { LOOPBACK } from './free-port.ts';
import type { RedisLaunch, RedisProcess } from './redis-process.ts';

/** Generous: a container's image may have to be pulled, and a large append-only file takes its time to load. */
const START_TIMEOUT_MS = { binary: 60_000, docker: 300_000 };
const RETRY_MS = 25;

/**
 * Waits until the server answers and has loaded its data.
 *
 * @returns its run id, which names this very start of it.
 * @throws Error when it ended instead, did not answer in time, or another Redis answers on its port.
 */
export async function awaitReady(launch: RedisLaunch, server: RedisProcess): Promise<string> {
  const client = new Redis({
    host: LOOPBACK,
    port: launch.port,
    retryStrategy: () => RETRY_MS,
    maxRetriesPerRequest: null,
  });
  client.on('error', () => undefined); // Refused connections are what is waited out here.
  const done = new AbortController();
  try {
    // The client holds the command back until the server is there and has loaded its data.
    const info = await Promise.race([client.info('server'), hasEnded(server), isLate(launch, done.signal)]);
    // A Redis whose port is taken ends at once, but the port's owner may have answered before that.
    if (launch.program.kind === 'binary' && infoField(info, 'process_id') !== String(server.pid)) {
      throw new Error(`Another Redis answers on port ${launch.port}.`);
    }
    return infoField(info, 'run_id');
  } finally {
    done.abort();
    client.disconnect();
  }
}

async function hasEnded(server: RedisProcess): Promise<never> {
  await server.exited;
  throw new Error('The server ended before it answered.');
}

async function isLate(launch: RedisLaunch, signal: AbortSignal): Promise<never> {
  const timeoutMs = START_TIMEOUT_MS[launch.program.kind];
  await delay(timeoutMs, undefined, { signal });
  throw new Error(`The server did not answer within ${timeoutMs / 1000} s.`);
}

/** One value of what Redis' `INFO` prints; empty if it is not there. */
export function infoField(info: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
}
