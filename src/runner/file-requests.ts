/**
 * Files that are on a worker's disk, read from another machine: a question on the control channel names the host, the
 * task and the path, and whichever worker of that host has the file puts the part that was asked for into a key that
 * lives for some seconds. Only what is kept of tasks that the queue knows is read; see `kept-files.ts`.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { readForbidden } from '../redis/refusal.ts';
import { openKept, readPart } from './kept-files.ts';
import { registeredWorkers } from './registry.ts';

/** The most that one answer holds. */
export const PART_BYTES = 256 * 1024;

/** How long an answer stays for whoever asked. */
const ANSWER_TTL_MS = 10_000;

/** How long a worker may take. */
const PATIENCE_MS = 3_000;

const FIRST_LOOK_MS = 4;
const LAST_LOOK_MS = 60;

/** The question, as it is sent. */
export const fileQuestion = z.object({
  id: z.string().regex(/^[0-9a-f-]{36}$/),
  host: z.string().max(300),
  taskId: z.string().max(100),
  path: z.string().max(1_000),
  offset: z.int().min(0),
  length: z.int().min(0).max(PART_BYTES),
});

/** A part of a file that is asked for. */
export type FileQuestion = z.infer<typeof fileQuestion>;

/** A part of a file, and how large the file is by now. */
export interface FilePart {
  readonly bytes: Buffer;
  readonly size: number;
}

interface Place {
  readonly redis: Connection;
  readonly keys: Keys;
}

/** Answers as a worker. Never rejects: whoever asked hears nothing then, and says so. */
export async function answerFile(
  { id, taskId, path, offset, length }: FileQuestion,
  { redis, keys, dataDir, workerId }: Place & { readonly dataDir: string; readonly workerId: string },
): Promise<void> {
  const key = keys.key('file', id);
  try {
    if ((await redis.exists(keys.key('task', taskId))) === 0) return;
    const file = await openKept(dataDir, taskId, path);
    if (file === undefined) {
      await redis.multi().hset(key, `without:${workerId}`, 1).pexpire(key, ANSWER_TTL_MS).exec();
      return;
    }
    try {
      // Workers that share a data folder have the same to say: one of them does.
      if ((await redis.hsetnx(key, 'by', workerId)) === 0) return;
      const bytes = await readPart(file, { offset, length });
      const { size } = await file.stat();
      await redis.multi().hset(key, { bytes, size }).pexpire(key, ANSWER_TTL_MS).exec();
    } finally {
      await file.close();
    }
  } catch {
    await redis.pexpire(key, ANSWER_TTL_MS).catch(() => {});
  }
}

/** Asks the workers of a host. `missing`: none of them has it; `unreachable`: none answers. */
export async function askForFile(
  { redis, keys }: Place,
  question: Omit<FileQuestion, 'id'>,
): Promise<FilePart | 'missing' | 'unreachable'> {
  const workers = (await registeredWorkers(redis, keys)).filter(({ host }) => host === question.host);
  if (workers.length === 0) return 'unreachable';
  const id = randomUUID();
  const key = keys.key('file', id);
  try {
    await redis.publish(keys.channel('control'), JSON.stringify({ file: { ...question, id } }));
  } catch (error) {
    // A user of Redis who may only look cannot ask.
    if (readForbidden(error) !== undefined) return 'unreachable';
    throw error;
  }
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LAST_LOOK_MS, 2 * pauseMs)) {
    const answer = await redis.hgetallBuffer(key);
    const { bytes, size } = answer;
    if (bytes !== undefined && size !== undefined) {
      await forget(redis, key);
      return { bytes, size: Number(size.toString()) };
    }
    if (workers.every((worker) => answer[`without:${worker.id}`] !== undefined)) {
      await forget(redis, key);
      return 'missing';
    }
    if (performance.now() > giveUpAt) return 'unreachable';
    await delay(pauseMs);
  }
}

/** Takes an answer away that was read; it would go by itself, and not everybody may. */
async function forget(redis: Connection, key: string): Promise<void> {
  await redis.del(key).catch(() => {});
}
