/** What to say of an id that no task is kept under. */

import { SignalboxError } from '../errors.ts';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { parseTaskId } from '../task/ids.ts';
import { nearId } from './near-id.ts';
import type { TaskStore } from './store.ts';

/** Where to look. */
interface Place {
  readonly redis: Connection;
  readonly keys: Keys;
  readonly store: TaskStore;
}

/** `TASK_LOST` for an id that this Redis should know, else `NOT_FOUND`; with the id that may have been meant. */
export async function notFound(id: string, { redis, keys, store }: Place): Promise<SignalboxError> {
  const facts = parseTaskId(id);
  const near = await nearId(store, id);
  const hint = near === undefined ? '' : `Did you mean ${near}? `;
  const { incarnation, sequence } = await redis.hgetall(keys.all('meta'));
  const lost = facts !== undefined && (facts.incarnation !== incarnation || facts.sequence > Number(sequence ?? 0));
  if (lost) {
    return new SignalboxError(
      'TASK_LOST',
      `This queue's Redis does not have task ${id}: its data were lost or rolled back, or the id is of another queue.`,
      {
        next: `${hint}Check REDIS_URL and SIGNALBOX_QUEUE. If they are right, look at its branch on the remote, and submit it again if it was not published.`,
      },
    );
  }
  const trimmed = facts !== undefined;
  return new SignalboxError('NOT_FOUND', `There is no task ${id}${trimmed ? ' any more' : ''}.`, {
    next: `${hint}${trimmed ? 'Finished tasks are kept up to `historyLimit`; older ones are trimmed.' : 'See the ids with `signalbox list`.'}`,
  });
}
