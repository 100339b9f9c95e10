/** A run's log as a file on this host, read as it grows. */

import { type FileHandle, open, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { TaskRecord } from '../../queue/record.ts';

/** Where a task's runs leave their logs. */
type Logged = Pick<TaskRecord, 'id' | 'host' | 'workspace'>;

const CHUNK_BYTES = 64 * 1024;

/**
 * The log of a run if it is on this host and may be read. The worker's data folder is known by the workspace it
 * recorded; `dataDir` is this host's own, for tasks that never had one.
 */
export async function findLog(
  { id, host, workspace }: Logged,
  run: number,
  dataDir: string,
): Promise<string | undefined> {
  if (host !== null && host !== hostname()) return undefined;
  const folders = [...(workspace === null ? [] : [dirname(dirname(workspace))]), dataDir];
  for (const folder of folders) {
    const file = join(folder, 'artifacts', id, `run-${run}`, 'log.txt');
    if (await isReadable(file)) return file;
  }
  return undefined;
}

/** Reads a file that grows, each part once. */
export class GrowingFile {
  readonly #file: FileHandle;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<GrowingFile> {
    return new GrowingFile(await open(path, 'r'));
  }

  /** Hands on all that is new. */
  async drain(write: (part: Uint8Array) => void): Promise<void> {
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      write(Uint8Array.prototype.slice.call(this.#buffer, 0, bytesRead));
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function isReadable(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r');
    await handle.close();
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
