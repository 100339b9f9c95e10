/**
 * The private Redis of `up`: started, started again when it dies, and stopped. Its data are on disk and it comes back at
 * the same address, so that workers and waiting commands go on by themselves.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../redis/embedded.ts';

/** A Redis that is kept running. */
export interface PrivateRedis {
  readonly url: string;
  /** Ends it for good. */
  stop(): Promise<void>;
}

/** Between two tries to start it again, such as on a disk that is full. */
const PAUSE_MS = 1_000;

/** Starts it in `dir`; `note` tells people when it had to be started again. Throws REDIS_UNREACHABLE, STATE. */
export async function keepRedis(dir: string, note: (text: string) => void): Promise<PrivateRedis> {
  const stopping = new AbortController();
  let server: EmbeddedRedis = await startEmbeddedRedis({ dir, aof: true });
  const { url, port } = server;
  const again = async (): Promise<EmbeddedRedis | undefined> => {
    while (!stopping.signal.aborted) {
      try {
        return await startEmbeddedRedis({ dir, port, aof: true });
      } catch (error) {
        note(`Redis could not be started again: ${(error as Error).message} It is tried again.`);
        await delay(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
    return undefined;
  };
  const watch = async (): Promise<void> => {
    for (;;) {
      await server.exited;
      if (stopping.signal.aborted) return;
      note('The private Redis has ended; it is started again with its data.');
      const next = await again();
      if (next === undefined) return;
      server = next;
    }
  };
  const watching = watch();
  return {
    url,
    stop: async () => {
      stopping.abort();
      await server.stop();
      await watching;
      // One that was just being started.
      await server.stop();
    },
  };
}
