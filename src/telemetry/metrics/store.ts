/**
 * The queue's counters and histograms in Redis: workers add to them what they have counted, whoever shows them reads
 * them. They outlive every process.
 */

import type { Connection } from '../../redis/connect.ts';
import type { Keys } from '../../redis/keys.ts';
import { Script } from '../../redis/scripts.ts';
import type { Events } from '../events.ts';
import { countEvents } from './count-events.ts';
import { OTHER_OWNERS, OWNER_METRIC, OWNER_SERIES } from './definitions.ts';
import { type Counted, histogramParts, Tally } from './tally.ts';

const FLUSH = new Script(new URL('./flush.lua', import.meta.url));

/** Where metrics are kept, and what they come from. */
export interface CountingOptions {
  readonly redis: Connection;
  readonly keys: Keys;
  readonly events: Events;
  /** How often they are written down. */
  readonly everyMs: number;
}

/**
 * Counts events and writes the numbers down until the answer is called, which writes the last of them. What cannot be
 * written now is written with the next; what a killed process had not written is lost. An answer that was lost may
 * have been a yes: then the numbers of one interval are counted twice.
 */
export function startCounting({ redis, keys, events, everyMs }: CountingOptions): () => Promise<void> {
  const tally = new Tally();
  countEvents(events, tally);
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    const counted = tally.take();
    await addCounted({ redis, keys }, counted).catch(() => tally.putBack(counted));
  };
  const timer = setInterval(() => {
    // While Redis is away a write waits for it, and the next ones for that one.
    writing = writing.then(write);
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await writing.then(write);
  };
}

/** Adds what was counted to the queue's numbers. */
export async function addCounted(
  { redis, keys }: { readonly redis: Connection; readonly keys: Keys },
  { fields, owners }: Counted,
): Promise<void> {
  if (fields.size === 0 && owners.size === 0) return;
  const pairs = (map: ReadonlyMap<string, number>): [string, string][] =>
    // As text: JSON in Lua has fewer digits.
    [...map].map(([field, by]) => [field, String(by)]);
  await FLUSH.run(
    redis,
    [keys.all('metrics'), keys.all('metric-owners'), keys.all('metric-series')],
    [
      JSON.stringify(pairs(fields)),
      JSON.stringify([...owners].map(([owner, { observations, parts }]) => [owner, observations, pairs(parts)])),
      OWNER_METRIC,
      OWNER_SERIES,
      OTHER_OWNERS,
      JSON.stringify(histogramParts(OWNER_METRIC)),
    ],
  );
}
