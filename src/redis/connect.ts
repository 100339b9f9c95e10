/** Connections to Redis. Two kinds, because a worker must outlive an outage and a producer must hear of it. */

import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { parseRedisAddress } from '../config/redis-address.ts';
import { SignalboxError } from '../errors.ts';

/** A connection to the Redis of a queue: to one server (also one that Sentinels name), or to a cluster. */
export type Connection = Redis | Cluster;

/** What our connections differ in. */
type Settings = Pick<
  RedisOptions,
  | 'connectionName'
  | 'lazyConnect'
  | 'maxRetriesPerRequest'
  | 'connectTimeout'
  | 'retryStrategy'
  | 'commandTimeout'
  | 'socketTimeout'
>;

/** The longest pause between two attempts to reconnect, so that a worker is back soon after Redis is. */
const RECONNECT_CAP_MS = 1_000;

/** A connection that waits for Redis as long as it takes: for workers. */
export function workerConnection(url: string, name: string): Connection {
  const redis = connection(url, {
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
export async function producerConnection(url: string): Promise<Connection> {
  let connected = false;
  let last: unknown;
  const redis = connection(url, {
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

/**
 * A connection to a lock server, made by its first command: a command that is not answered in time has failed and is
 * never sent again, since what it asks for would be out of date.
 */
export function lockServerConnection(url: string, timeoutMs: number): Connection {
  const redis = connection(url, {
    connectionName: 'signalbox:locks',
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    commandTimeout: timeoutMs,
    // A server whose machine is gone leaves a connection that nobody closes.
    socketTimeout: 30_000,
    retryStrategy: (times) => Math.min(50 * times, RECONNECT_CAP_MS),
  });
  redis.on('error', () => {});
  return redis;
}

/** Why a lock server gave no answer, after its name: ioredis speaks of its own options. */
export function whyNoAnswer({ message }: Error): string {
  if (message === 'Command timed out') return 'did not answer in time';
  return message.startsWith('Reached the max retries') ? 'cannot be reached' : `failed: ${message}`;
}

/** Whether a Redis answers at this address, now. */
export async function isAnswering(url: string): Promise<boolean> {
  const redis = connection(url, { lazyConnect: true, connectTimeout: 2_000, retryStrategy: () => null });
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

/** The servers that hold the data: the primaries of a cluster, else the one that is connected to. */
export function serversOf(redis: Connection): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

/** What stands behind a connection beside one server, as the end of a sentence; empty if nothing does. */
export function topologyOf(redis: Connection): string {
  if (redis instanceof Cluster) return `: a Redis Cluster of ${redis.nodes('master').length} primaries`;
  const { sentinels, name } = redis.options;
  if (sentinels === null || sentinels === undefined) return '';
  const { remoteAddress, remotePort } = redis.stream;
  return `: ${remoteAddress}:${remotePort}, which Sentinels name as ${name}`;
}

/** The error for a Redis that does not answer; a password in the URL is not repeated. */
export function unreachable(url: string, cause: unknown): SignalboxError {
  const shown = withoutCredentials(url);
  const reason = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : '';
  return new SignalboxError('REDIS_UNREACHABLE', `Redis at ${shown} cannot be reached${reason}.`, {
    next: 'Start one with `signalbox up`, or set REDIS_URL to a Redis that runs, then try again.',
    cause,
  });
}

/** An address as it may be shown. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//***@');
}

function connection(url: string, options: Settings): Connection {
  const address = parseRedisAddress(url);
  if (address === undefined || address.kind === 'server') return new Redis(url, options);
  const { username, password, tls } = address;
  const same = {
    ...options,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
  const endpoints = address.endpoints.map((endpoint) => ({ ...endpoint }));
  const retryStrategy = options.retryStrategy ?? (() => null);
  if (address.kind === 'cluster') {
    const { lazyConnect = false, retryStrategy: _none, ...redisOptions } = same;
    return new Cluster(endpoints, { lazyConnect, redisOptions, clusterRetryStrategy: retryStrategy });
  }
  const { name, db } = address;
  return new Redis({
    ...same,
    sentinels: endpoints,
    name,
    db,
    sentinelRetryStrategy: retryStrategy,
    enableTLSForSentinelMode: tls,
  });
}
