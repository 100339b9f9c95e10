/** A small disk of its own at some folder, for tests that fill it. Only root may make one. */

import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const FILLER = 'filler';
const CHUNK = Buffer.alloc(4096);

/** Whether this machine lets the tests make one. */
export function canMount(): boolean {
  // A mount namespace of its own, so that the trial leaves nothing behind.
  const trial = ['--mount', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt'];
  return process.getuid?.() === 0 && spawnSync('unshare', trial).status === 0;
}

/** The disk. */
export class SmallDisk implements Disposable {
  readonly #dir: string;

  /** Mounts it at an existing, empty folder. */
  constructor(dir: string, bytes: number) {
    this.#dir = dir;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', dir]);
  }

  /** Leaves not one byte free, as somebody else's file might. */
  fill(): void {
    const file = openSync(join(this.#dir, FILLER), 'a');
    try {
      for (const chunk of [CHUNK, CHUNK.subarray(0, 1)]) while (wrote(file, chunk));
    } finally {
      closeSync(file);
    }
  }

  /** Takes away what `fill` has written. */
  makeRoom(): void {
    rmSync(join(this.#dir, FILLER));
  }

  /** Takes it out of sight; who still has a file open on it keeps that. */
  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.#dir]);
  }
}

function wrote(file: number, chunk: Buffer): boolean {
  try {
    return writeSync(file, chunk) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    return false;
  }
}
