/**
 * One server per data folder. Two of them on one append-only file destroy it, and the second is easily started: a
 * killed parent's Redis needs a moment to end, and `signalbox up` is typed again at once.
 *
 * The note in the folder names the server's run id, so neither a process id nor a port that was given to something
 * else since is taken for a server that still runs.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { SignalboxError } from '../errors.ts';
import { LOOPBACK } from './free-port.ts';
import { infoField } from './readiness.ts';

const OWNER_FILE = 'redis-owner.json';

/** A server that lost its parent ends within its own shutdown time; one that stays longer is in use. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 50;

const Owner = z.object({ port: z.number(), runId: z.string() });

/** Which server uses a folder. */
export type FolderOwner = z.infer<typeof Owner>;

/** Notes that this server now uses `dir`. */
export async function recordOwner(dir: string, owner: FolderOwner): Promise<void> {
  await writeFile(join(dir, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
}

/**
 * Returns once no server uses `dir` any more.
 *
 * @throws SignalboxError `STATE` when one still does after five seconds.
 */
export async function awaitFolder(dir: string): Promise<void> {
  const owner = await readOwner(dir);
  if (owner === undefined) return;
  const deadline = performance.now() + PATIENCE_MS;
  while (await isRunning(owner)) {
    if (performance.now() > deadline) throw inUse(dir, owner);
    await delay(RETRY_MS);
  }
}

async function readOwner(dir: string): Promise<FolderOwner | undefined> {
  try {
    return Owner.parse(JSON.parse(await readFile(join(dir, OWNER_FILE), 'utf8')));
  } catch {
    return undefined; // Never used, or the note was half written when the machine went down.
  }
}

async function isRunning(owner: FolderOwner): Promise<boolean> {
  const client = new Redis({ host: LOOPBACK, port: owner.port, lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return infoField(await client.info('server'), 'run_id') === owner.runId;
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

function inUse(dir: string, owner: FolderOwner): SignalboxError {
  return new SignalboxError('STATE', `A Redis with its data in ${dir} is already running on port ${owner.port}.`, {
    next: `Use it (REDIS_URL=redis://${LOOPBACK}:${owner.port}), stop it, or choose another folder.`,
    details: { dir, port: owner.port },
  });
}
