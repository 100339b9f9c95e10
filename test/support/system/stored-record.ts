/** A task's record as it lies in Redis, for tests that play somebody who can write there. */

import { readHashes } from '../../../src/queue/read-records.ts';
import type { TaskQueue } from '../../../src/queue/task-queue.ts';

/** The fields of the record, its envelope among them. */
export async function readStored(queue: TaskQueue, id: string): Promise<Record<string, string>> {
  return { ...(await readHashes(queue, [id]))[0] };
}

/** Writes some of them. */
export async function writeStored(
  { redis, keys }: TaskQueue,
  id: string,
  { envelope, ...fields }: Readonly<Record<string, string>>,
): Promise<void> {
  if (envelope !== undefined) await redis.set(keys.key('envelope', id), envelope);
  if (Object.keys(fields).length > 0) await redis.hset(keys.key('task', id), fields);
}
