/** Hears what is published on a queue's channels, as long as it is not ended, whatever becomes of the connection. */

import { Cluster } from 'ioredis';
import type { Connection } from './connect.ts';

/** What is heard. */
export interface Listener {
  readonly onMessage: (channel: string, message: string) => void;
  /** It hears again after it was cut off; what came meanwhile is lost. */
  readonly onReconnected?: () => void;
  /** To wait for Redis as long as it takes, instead of as long as `redis` does. */
  readonly isPatient?: boolean;
}

/**
 * Subscribes over a connection of its own to the same Redis, again after each outage, and answers how to end it. Throws
 * what Redis answers to the first subscription, or that it does not.
 */
export async function subscribe(
  redis: Connection,
  channels: readonly string[],
  { onMessage, onReconnected = () => {}, isPatient = false }: Listener,
): Promise<() => void> {
  const subscriber = duplicate(redis, isPatient ? { maxRetriesPerRequest: null } : {});
  subscriber.on('error', () => {});
  subscriber.on('message', onMessage);
  try {
    await subscriber.subscribe(...channels);
  } catch (error) {
    // Else it would keep the program alive, though nobody listens.
    subscriber.disconnect();
    throw error;
  }
  // One that is cut short by the next outage is made good after that.
  subscriber.on('ready', () => void subscriber.subscribe(...channels).then(onReconnected, () => {}));
  return () => subscriber.disconnect();
}

function duplicate(redis: Connection, patience: { readonly maxRetriesPerRequest?: null }): Connection {
  if (redis instanceof Cluster) {
    const { replyMapping: _same, ...options } = redis.options.redisOptions ?? {};
    return redis.duplicate([], { lazyConnect: false, redisOptions: { ...options, ...patience } });
  }
  // By itself ioredis would subscribe again too, and end the program when that is cut short: nobody catches it there.
  return redis.duplicate({ lazyConnect: false, autoResubscribe: false, ...patience });
}
