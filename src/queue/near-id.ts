/** The task that somebody meant who mistyped its id, or gave only its beginning. */

import { nearMiss } from '../invalid.ts';
import type { TaskStore } from './store.ts';

/** How many of the newest tasks are looked at. */
const NEWEST = 1_000;
/** How much of an id may be mistyped: two or three letters, fewer than tell two ids apart. */
const SHARE = 0.1;

/** The id of a kept task, if only one can be meant. */
export async function nearId(store: Pick<TaskStore, 'ids'>, given: string): Promise<string | undefined> {
  const ids = await store.ids({ limit: NEWEST });
  const begins = given.length < 4 ? [] : ids.filter((id) => id.startsWith(given));
  return begins.length === 1 ? begins[0] : nearMiss(given, ids, SHARE);
}
