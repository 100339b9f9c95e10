/**
 * Watches over claims that last until their branch is merged: frees them when it is, or when it is gone. Every worker
 * watches; a key with a TTL lets one of them ask the remote at a time.
 */

import { hostname } from 'node:os';
import { z } from 'zod';
import { isMerged } from '../git/merged.ts';
import type { Mirrors } from '../git/mirror.ts';
import { readMessage } from '../redis/messages.ts';
import type { Run } from './run.ts';
import type { Services } from './services.ts';

/** What is to be merged, as it is noted with the claim. */
const mergeNote = z.object({
  repoKey: z.string(),
  repo: z.string(),
  repoHost: z.string().nullable(),
  branch: z.string(),
  base: z.string().nullable(),
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
});

/** The note for a run that has published its branch. */
export function mergeOf({ record, published, baseName }: Run): string {
  const { repoKey, repo, repoHost, branch } = record;
  const note: z.infer<typeof mergeNote> = {
    repoKey,
    repo,
    repoHost,
    branch,
    base: baseName,
    commit: published ?? '',
  };
  return JSON.stringify(note);
}

/** Looks every three leases until the answer is called. */
export function startMergeWatch(services: Services): () => Promise<void> {
  const everyMs = 3 * services.config.leaseTtlMs;
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // The remote or Redis may be away: the next look finds out.
    looking = looking.then(async () => await look(services, everyMs)).catch(() => {});
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await looking;
  };
}

async function look({ queue, mirrors, events }: Services, everyMs: number): Promise<void> {
  const { redis, keys, locker } = queue;
  for (const holder of await redis.zrange(keys.all('merged'), '0', '-1')) {
    const [json, taskId, since] = await redis.hmget(keys.key('record', holder), 'merge', 'task', 'since');
    const note = readMessage(mergeNote, json ?? '');
    if (note === undefined || (note.repoHost !== null && note.repoHost !== hostname())) continue;
    if ((await redis.set(keys.key('watching', holder), '1', 'PX', everyMs, 'NX')) === null) continue;
    if (!(await isOver(note, mirrors))) continue;
    if ((await locker.unkeep(holder)) === undefined) continue;
    const heldMs = Date.now() - Number(since);
    events.emit({ type: 'claim.released', runnerId: holder, ...(taskId ? { taskId } : {}), heldMs });
  }
}

async function isOver({ base, ...note }: z.infer<typeof mergeNote>, mirrors: Mirrors): Promise<boolean> {
  const mirror = await mirrors.open({ key: note.repoKey, url: note.repo }, AbortSignal.timeout(60_000));
  return (await isMerged(mirror, { ...note, base: base ?? undefined })) !== 'open';
}
