/** What kept tasks have been through, read in pages and, where that will do, in part: their records may be long. */

import type { TaskState } from '../task/states.ts';
import { type Place, readRecords } from './read-records.ts';
import { readChange, type TaskRecord } from './record.ts';

/** The fields of a record that tell what kind of task it is. */
type KindField = 'title' | 'owner' | 'spec' | 'repoKey';

/** How long the last run of a task took that has ended. */
export interface EndedRun extends Pick<TaskRecord, KindField> {
  readonly durationMs: number;
}

/** A change of state. In ms since the epoch. */
export interface StateTime {
  readonly state: TaskState;
  readonly at: number;
}

/** What a task waited for, and what others waited for that it had. */
export type ConflictRecord = Pick<
  TaskRecord,
  'id' | 'state' | 'code' | 'envelope' | 'repo' | 'repoKey' | 'branch' | 'owner' | 'conflicts' | 'filesChanged'
>;

const PAGE = 200;

/** The last runs of the tasks that ended last, newest first, at most `limit`. */
export async function readEndedRuns({ redis, keys }: Place, limit: number): Promise<EndedRun[]> {
  const ids = await redis.zrevrange(keys.all('finished'), 0, limit - 1);
  const pipeline = redis.pipeline();
  for (const id of ids) {
    pipeline.hmget(keys.key('task', id), 'title', 'owner', 'spec', 'repoKey');
    // A task that ran has begun its last run right before its end.
    pipeline.lrange(keys.key('history', id), -2, -1);
  }
  const replies = (await pipeline.exec()) ?? [];
  return ids.flatMap((_id, i) => endedRun(replies[2 * i]?.[1], replies[2 * i + 1]?.[1]));
}

function endedRun(fields: unknown, lines: unknown): EndedRun[] {
  const [title, owner, spec, repoKey] = (fields ?? []) as (string | null)[];
  const [started, ended] = ((lines ?? []) as string[]).map(readChange);
  if (typeof title !== 'string' || started?.state !== 'running' || ended === undefined) return [];
  // One that was stopped says little about how long it would have taken.
  if (ended.state === 'cancelled') return [];
  const durationMs = Math.max(0, ended.at - started.at);
  return [{ title, owner: owner ?? '', spec: spec ?? null, repoKey: repoKey ?? '', durationMs }];
}

/** The kept tasks, newest first, a page at a time. */
export async function* conflictPages(place: Place): AsyncGenerator<ConflictRecord[], void> {
  const { redis, keys } = place;
  // By number and not by place, so that what comes or goes meanwhile moves no page.
  let before = '+inf';
  for (;;) {
    const page = await redis.zrevrangebyscore(keys.all('tasks'), before, '-inf', 'WITHSCORES', 'LIMIT', 0, PAGE);
    if (page.length === 0) return;
    yield await readConflicts(
      place,
      page.filter((_, i) => i % 2 === 0),
    );
    before = `(${page.at(-1)}`;
  }
}

/** The same of some tasks; of those among them that are kept. */
export async function readConflicts(place: Place, ids: readonly string[]): Promise<ConflictRecord[]> {
  return (await readRecords(place, ids)).filter((record) => record !== undefined);
}

/** The changes of state of some tasks, oldest first. */
export async function readStateTimes({ redis, keys }: Place, ids: readonly string[]): Promise<StateTime[][]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.lrange(keys.key('history', id), 0, -1);
  const replies = (await pipeline.exec()) ?? [];
  return ids.map((_id, i) => ((replies[i]?.[1] ?? []) as string[]).map(readChange));
}
