/**
 * The folders in which `up` is known: its data folder, and `.signalbox` where it was started, by which commands there
 * and below find it. Mostly they are one. Each is git-ignored and has a note of the `up` that runs.
 */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readIfThere, readUpFile, type UpFile, upFileIn } from '../../config/up-file.ts';
import { SignalboxError } from '../../errors.ts';
import { isAnswering } from '../../redis/connect.ts';
import { isRunning } from '../is-running.ts';

/** The folders of an `up` that is started in `cwd`. */
export function placesOf(dataDir: string, cwd: string): string[] {
  return [...new Set([dataDir, resolve(cwd, '.signalbox')])];
}

/** Makes such a folder, unseen by git. */
export async function makePlace(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const ignored = join(folder, '.gitignore');
  if (readIfThere(ignored) === undefined) await writeFile(ignored, '*\n');
}

/** Throws STATE if an `up` runs in one of these folders; takes the notes of dead ones away. */
export async function refuseSecond(places: readonly string[]): Promise<void> {
  for (const path of places.map(upFileIn)) {
    const up = readUpFile(path);
    if (up === undefined) continue;
    // A number may have been given to another process since; then no Redis answers at the address.
    if (isRunning(up.pid) && (await isAnswering(up.redisUrl))) throw second(path, up.pid);
    await rm(path, { force: true });
  }
}

/** Notes what runs here. Throws STATE if another `up` was quicker. */
export async function noteUp(places: readonly string[], up: UpFile): Promise<void> {
  for (const path of places.map(upFileIn)) {
    try {
      await writeFile(path, `${JSON.stringify(up)}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw second(path, readUpFile(path)?.pid);
      throw error;
    }
  }
}

/** Takes this process's notes away. */
export async function forgetUp(places: readonly string[]): Promise<void> {
  for (const path of places.map(upFileIn)) {
    if (readUpFile(path)?.pid === process.pid) await rm(path, { force: true });
  }
}

function second(path: string, pid: number | undefined): SignalboxError {
  return new SignalboxError(
    'STATE',
    `A \`signalbox up\` already runs in ${dirname(path)} (process ${pid ?? 'unknown'}).`,
    {
      next: 'Use it: commands in this folder find it. To start it anew, stop that process first.',
      details: { pid },
    },
  );
}
