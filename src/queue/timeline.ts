/** The tasks that ran in a stretch of time, with their changes of state, as far as a timeline shows them. */

import { readStateTimes, type StateTime } from './past.ts';
import { type Place, readRecords } from './read-records.ts';
import type { TaskRecord } from './record.ts';

/** A task whose newest run is shown. */
export interface RanTask {
  readonly record: Pick<
    TaskRecord,
    | 'id'
    | 'state'
    | 'code'
    | 'title'
    | 'branch'
    | 'owner'
    | 'run'
    | 'runnerId'
    | 'workerId'
    | 'phases'
    | 'conflicts'
    | 'finishedAt'
  >;
  readonly times: readonly StateTime[];
}

/** The tasks that run, and those that have ended since; at most `limit`, those that ended last. In ms since the epoch. */
export async function readRanTasks(
  place: Place,
  { since, until, limit }: { readonly since: number; readonly until: number; readonly limit: number },
): Promise<RanTask[]> {
  const { redis, keys } = place;
  const running = await redis.zrevrange(keys.key('state', 'running'), 0, limit - 1);
  // What ended after the stretch may have run in it: it began before its end.
  const ended = await redis.zrevrangebyscore(keys.all('finished'), '+inf', since, 'LIMIT', 0, 4 * limit);
  const ids = [...new Set([...running, ...ended])];
  const [records, times] = await Promise.all([readRecords(place, ids), readStateTimes(place, ids)]);
  return records
    .flatMap((record, i) => (record === undefined ? [] : [{ record, times: times[i] ?? [] }]))
    .filter(({ times: changes }) => changes.some(({ state, at }) => state === 'running' && at <= until))
    .slice(0, limit);
}
