/** Logs and artifacts of tasks, wherever their workers are: read from this disk if it has them, else through a worker. */

import type { FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { TaskRecord } from '../queue/record.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { askForFile, type FilePart, PART_BYTES } from '../runner/file-requests.ts';
import { dataDirOf, isKeptPath, logPath, openKept, readPart } from '../runner/kept-files.ts';

/** Whose files they are, and where its worker was. */
export type FileOwner = Pick<TaskRecord, 'id' | 'host' | 'workspace'>;

/** A file that was found. */
export interface TaskFile {
  /** How large it was when it was found. */
  readonly size: number;
  /** Whether it was read from this disk, and where. */
  readonly localPath: string | undefined;
  /** What is there from `offset` on, at most some 100 KB; empty at its end. Throws `FileGone`. */
  read(offset: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Why a file was not found: it is not there, or on a machine on which no worker answers. */
export type NoFile = 'missing' | 'unreachable';

/** Thrown when the worker that had a file does not answer any more. */
export class FileGone extends Error {
  override readonly name = 'FileGone';
}

/** Where files are looked for. */
export interface FilePlace {
  readonly queue: TaskQueue;
  /** This machine's own data folder. */
  readonly dataDir: string;
}

/** Opens the log of a run. */
export async function openLog(place: FilePlace, owner: FileOwner, run: number): Promise<TaskFile | NoFile> {
  return await openFile(place, owner, logPath(owner.id, run));
}

/** Opens a file by its path below the data folder of its worker. */
export async function openFile(place: FilePlace, owner: FileOwner, path: string): Promise<TaskFile | NoFile> {
  if (!isKeptPath(owner.id, path)) return 'missing';
  // Ids are not given out twice: whichever folder has files of this task, they are its files.
  const folders = new Set([...(owner.workspace === null ? [] : [dataDirOf(owner.workspace)]), place.dataDir]);
  for (const folder of folders) {
    const handle = await openKept(folder, owner.id, path);
    if (handle !== undefined) return await localFile(handle, `${folder}/${path}`);
  }
  // On this machine too, a worker may have a data folder that this process does not know, or may not read.
  return await elsewhere(place, { owner, path, host: owner.host ?? hostname() });
}

async function localFile(handle: FileHandle, localPath: string): Promise<TaskFile> {
  const { size } = await handle.stat();
  return {
    size,
    localPath,
    read: async (offset) => await readPart(handle, { offset, length: PART_BYTES }),
    close: async () => await handle.close(),
  };
}

async function elsewhere(
  { queue }: FilePlace,
  { owner, path, host }: { readonly owner: FileOwner; readonly path: string; readonly host: string },
): Promise<TaskFile | NoFile> {
  const ask = async (offset: number): Promise<FilePart | NoFile> =>
    await askForFile(queue, { host, taskId: owner.id, path, offset, length: PART_BYTES });
  const first = await ask(0);
  if (first === 'missing' || first === 'unreachable') return first;
  let ahead: Buffer | undefined = first.bytes;
  return {
    size: first.size,
    localPath: undefined,
    read: async (offset) => {
      if (offset === 0 && ahead !== undefined) {
        const bytes = ahead;
        ahead = undefined;
        return bytes;
      }
      const part = await ask(offset);
      if (part === 'missing' || part === 'unreachable') throw new FileGone(`No worker on ${host} answers.`);
      return part.bytes;
    },
    close: async () => {},
  };
}

/** All of a file as it is now, part by part. */
export async function* partsOf(file: TaskFile): AsyncGenerator<Buffer, void> {
  for (let offset = 0; ; ) {
    const part = await file.read(offset);
    if (part.length === 0) return;
    yield part;
    offset += part.length;
  }
}
