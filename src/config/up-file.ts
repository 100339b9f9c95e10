/** `.signalbox/up.json`: by it the commands in a folder and below find the Redis that `up` runs for that folder. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SignalboxError } from '../errors.ts';

/** What `up` writes about itself. */
export interface UpFile {
  /** The private Redis. */
  readonly redisUrl: string;
  /** The dashboard's port; null: there is none. */
  readonly port: number | null;
  /** The process of `up`. */
  readonly pid: number;
  /** Where its workers keep their data: not always where this file is. */
  readonly dataDir: string;
}

const schema: z.ZodType<UpFile> = z.object({
  redisUrl: z.string().min(1),
  port: z.int().nullable(),
  pid: z.int(),
  dataDir: z.string().min(1),
});

/** The file's place within a data folder. */
export function upFileIn(dataDir: string): string {
  return join(dataDir, 'up.json');
}

/** The nearest `up`: in `dataDir`, else in `.signalbox` of `cwd` or a folder above it. It may be dead. */
export function findUp(cwd: string, dataDir: string): { readonly path: string; readonly up: UpFile } | undefined {
  const folders = [dataDir, ...upwards(cwd).map((folder) => join(folder, '.signalbox'))];
  for (const path of folders.map(upFileIn)) {
    const up = readUpFile(path);
    if (up !== undefined) return { path, up };
  }
  return undefined;
}

/** Reads an `up.json`; undefined when there is none. Throws `INVALID` when it cannot be understood. */
export function readUpFile(path: string): UpFile | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SignalboxError('INVALID', `${path} cannot be understood`, {
      next: 'Delete it and start `up` again.',
      cause,
    });
  }
}

/** A folder and all those above it, nearest first. */
export function upwards(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upwards(above)];
}

/** A file's text; undefined when there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
