/** Connections to Redis. Two kinds, because a worker must outlive an outage and a producer must hear of it. */

import { Redis } from 'ioredis';
import { SignalboxError } from '../errors.ts';

/** The longest pause between two attempts to reconnect, so that a worker is back soon after Redis is. */
const RECONNECT_CAP_MS = 1_000;

/** A connection that waits for Redis as long as it takes: for workers. */
export function workerConnection(url: string, name: string): Redis {
  const redis = new Redis(url, {
    connectionName: `signalbox:${name}`,
    maxRetriesPerRequest: null,
    connectTimeout: 5_000,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), RECONNECT_CAP_MS),
  });
  // Without a listener ioredis prints every failed attempt; the worker's health tells of an outage instead.
  redis.on('error', () => {});
  return redis;
}

/**
 * A connection whose commands fail soon when Redis is away: for producers and the CLI. Once it was there it is
 * connected to again whenever it is back. Throws REDIS_UNREACHABLE.
 */
export async function producerConnection(url: string): Promise<Redis> {
  let connected = false;
  let last: unknown;
  const redis = new Redis(url, {
    connectionName: 'signalbox:producer',
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    connectTimeout: 5_000,
    retryStrategy: (times) => (connected || times < 3 ? Math.min(100 * times, RECONNECT_CAP_MS) : null),
  });
  redis.on('error', (error) => {
    last = error;
  });
  try {
    await redis.connect();
    await redis.ping();
    connected = true;
    return redis;
  } catch (error) {
    redis.disconnect();
    throw unreachable(url, last ?? error);
  }
}

/** Whether a Redis answers at this address, now. */
export async function isAnswering(url: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 2_000, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

/** The error for a Redis that does not answer; a password in the URL is not repeated. */
export function unreachable(url: string, cause: unknown): SignalboxError {
  const shown = url.replace(/\/\/[^@/]*@/, '//***@');
  const reason = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : '';
  return new SignalboxError('REDIS_UNREACHABLE', `Redis at ${shown} cannot be reached${reason}.`, {
    next: 'Start one with `signalbox up`, or set REDIS_URL to a Redis that runs, then try again.',
    cause,
  });
}
