/** Files that runs have left in a data folder, opened so that nothing else of the machine can be read by way of them. */

import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseTaskId } from '../task/ids.ts';

/** Where, below a data folder, a run's log is. */
export function logPath(taskId: string, run: number): string {
  return `artifacts/${taskId}/run-${run}/log.txt`;
}

/** The data folder of the worker whose run has this workspace. */
export function dataDirOf(workspace: string): string {
  return dirname(dirname(dirname(workspace)));
}

/** Whether a path names something below what is kept of a task. Records and messages may say anything. */
export function isKeptPath(taskId: string, path: string): boolean {
  const [root, id, ...rest] = path.split('/');
  if (
    root !== 'artifacts' ||
    id !== taskId ||
    parseTaskId(taskId) === undefined ||
    rest.length === 0 ||
    path.length > 1_000
  )
    return false;
  return rest.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\u0000-\u001f]/.test(part));
}

/**
 * Opens a file of a task below `dataDir`; undefined if there is none. No symbolic link is followed: steps must not be
 * able to plant one that leads elsewhere.
 */
export async function openKept(dataDir: string, taskId: string, path: string): Promise<FileHandle | undefined> {
  if (!isKeptPath(taskId, path)) return undefined;
  const file = join(dataDir, path);
  try {
    const home = await realpath(join(dataDir, 'artifacts'));
    if ((await realpath(file)) !== join(home, ...path.split('/').slice(1))) return undefined;
    // A pipe would never open.
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return undefined;
  } catch {
    return undefined;
  }
}

/** Reads at most `length` bytes from `offset`. */
export async function readPart(
  file: FileHandle,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
