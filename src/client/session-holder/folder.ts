/**
 * Where the holders of sessions are found: a folder of this user's own below the system's temporary one, in it a folder
 * a session, in it a folder a checkout. Whoever makes that last one starts the holder; taking it away ends the holder.
 */

import { createHash } from 'node:crypto';
import { lstat, mkdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { SignalboxError } from '../../errors.ts';

/** Which session, of which queue. */
export interface SessionName {
  /** The agent's own id of it. */
  readonly session: string;
  readonly queue: string;
  readonly redisUrl: string;
}

/** The folder of a session. Makes what lies above it. Throws WORKSPACE if that is not safely this user's own. */
export async function sessionFolder({ session, queue, redisUrl }: SessionName): Promise<string> {
  const base = join(tmpdir(), `signalbox-${userInfo().uid}`);
  await mkdir(base, { mode: 0o700, recursive: true });
  const { mode, uid } = await lstat(base);
  const isOurs = uid === userInfo().uid && (mode & 0o170_077) === 0o040_000;
  if (!isOurs) {
    throw new SignalboxError('WORKSPACE', `${base} is not a folder of this user alone.`, {
      next: 'Remove it, or set TMPDIR to a folder that others cannot write to.',
    });
  }
  return join(base, hash(`${queue}\0${redisUrl}\0${session}`));
}

/** The folder of a session's holder for one checkout. */
export function holderFolder(session: string, checkout: string): string {
  return join(session, hash(checkout));
}

/** The socket within a holder's folder. */
export function holderSocket(folder: string): string {
  return join(folder, 'socket');
}

/** Makes a holder's folder; false when there is one already. */
export async function takeFolder(folder: string, session: string): Promise<boolean> {
  await mkdir(session, { mode: 0o700, recursive: true });
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a folder away; a holder that lives there ends. Moved first, so that nobody finds half of it. */
export async function removeFolder(folder: string): Promise<void> {
  const away = `${folder}.${process.pid}.gone`;
  await rename(folder, away).catch(() => {});
  await rm(away, { recursive: true, force: true });
}

/** What tells a folder from another of the same name; undefined when there is none. */
export async function folderMark(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch(() => undefined);
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
