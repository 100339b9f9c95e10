/** Reads whole records: the hash of a task, and its envelope, which is kept apart from it. */

import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { readRecord, type TaskRecord } from './record.ts';

/** Where to read. */
export interface Place {
  readonly redis: Connection;
  readonly keys: Keys;
}

/** The fields of a record, its envelope among them; empty if there is no such record. */
export type RecordHash = Readonly<Record<string, string>>;

/** The records of some tasks, in the order of `ids`; undefined for those that do not exist. */
export async function readRecords(place: Place, ids: readonly string[]): Promise<(TaskRecord | undefined)[]> {
  const hashes = await readHashes(place, ids);
  return hashes.map((hash, i) => (hash['state'] === undefined ? undefined : readRecord(ids[i] ?? '', hash)));
}

/** The same as they are stored. */
export async function readHashes({ redis, keys }: Place, ids: readonly string[]): Promise<RecordHash[]> {
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hgetall(keys.key('task', id)).get(keys.key('envelope', id));
  const replies = (await pipeline.exec()) ?? [];
  return ids.map((_id, i) => {
    const fields = valueOf(replies[2 * i]) as RecordHash | null;
    const envelope = valueOf(replies[2 * i + 1]) as string | null;
    if (fields?.['state'] === undefined) return {};
    return envelope === null ? fields : { ...fields, envelope };
  });
}

/** What is no record at all is none; but one that cannot be read now is not one that does not exist. */
function valueOf(reply: readonly [Error | null, unknown] | undefined): unknown {
  const [error, value] = reply ?? [null, null];
  if (error !== null && !error.message.startsWith('WRONGTYPE')) throw error;
  return error === null ? value : null;
}
