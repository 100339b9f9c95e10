/**
 * Checkouts that are made ahead: while a run works in the checkout of a large repository, the next one's files are
 * written. A whole checkout of 50,000 files takes seconds; bringing one up to another commit takes what differs.
 *
 * Only whole checkouts that took long are worth it, one a repository. What is not used soon goes again.
 */

import { randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mirror, Oid } from './mirror.ts';
import { orAborted } from './or-aborted.ts';
import { checkOutFiles, type Workspace } from './workspace.ts';
import { removeTree } from './workspaces.ts';

/** A checkout that was made faster than this is not made ahead. */
const WORTH_MS = 1_000;
/** How long one waits for its run. */
const KEEP_MS = 600_000;
/** In one worker, of all repositories. */
const AT_MOST = 4;
/** None is made where less of the disk is free: runs come first. */
const FREE_SHARE = 0.2;

/** Where they lie in a data folder. */
export function sparesDir(dataDir: string): string {
  return join(dataDir, 'spares');
}

/** What spares are kept in. */
export interface SpareOptions {
  readonly dataDir: string;
  readonly worthMs?: number;
  readonly keepMs?: number;
}

/** The files of a commit, ready to become a run's. Disposing of it takes away what the run did not. */
export interface Spare extends AsyncDisposable {
  readonly workspace: Workspace;
}

interface Kept {
  readonly folder: string;
  /** Undefined if it could not be made. */
  readonly made: Promise<Workspace | undefined>;
  readonly expiry: NodeJS.Timeout;
}

/** The spare workspaces of one worker. */
export class SpareWorkspaces {
  readonly #dir: string;
  readonly #worthMs: number;
  readonly #keepMs: number;
  /** By the folder of their mirror. */
  readonly #kept = new Map<string, Kept>();
  /** The mirrors whose checkouts take long. */
  readonly #worth = new Set<string>();
  readonly #leaving = new AbortController();
  /** One at a time: they are made beside the work of runs. */
  #making: Promise<unknown> | undefined;

  constructor({ dataDir, worthMs = WORTH_MS, keepMs = KEEP_MS }: SpareOptions) {
    this.#dir = sparesDir(dataDir);
    this.#worthMs = worthMs;
    this.#keepMs = keepMs;
  }

  /** The one of a repository, for good, once it is made; undefined if there is none. Rejects with the signal's reason. */
  async take({ dir }: Mirror, signal?: AbortSignal): Promise<Spare | undefined> {
    const kept = this.#kept.get(dir);
    if (kept === undefined) return undefined;
    this.#forget(dir, kept);
    const dispose = async (): Promise<void> => await removeTree(kept.folder);
    try {
      const workspace = await orAborted(kept.made, signal);
      if (workspace !== undefined) return { workspace, [Symbol.asyncDispose]: dispose };
      await dispose();
      return undefined;
    } catch (error) {
      void kept.made.then(dispose).catch(() => {});
      throw error;
    }
  }

  /** Begins to make one at this commit if checkouts of the repository, of which one just `tookMs`, are worth it. */
  ready(mirror: Mirror, { oid, tookMs }: { readonly oid: Oid; readonly tookMs: number }): void {
    const { dir } = mirror;
    if (tookMs >= this.#worthMs) this.#worth.add(dir);
    if (!this.#worth.has(dir) || this.#kept.has(dir) || this.#kept.size >= AT_MOST) return;
    if (this.#making !== undefined || this.#leaving.signal.aborted) return;
    const folder = join(this.#dir, randomUUID());
    const made = this.#make(mirror, { oid, folder });
    this.#making = made.finally(() => {
      this.#making = undefined;
    });
    const kept: Kept = { folder, made, expiry: setTimeout(() => void this.#drop(dir, kept), this.#keepMs).unref() };
    this.#kept.set(dir, kept);
  }

  /** Takes all away and makes no more. */
  async stop(): Promise<void> {
    this.#leaving.abort(new Error('the worker stops'));
    await Promise.all([...this.#kept].map(async ([dir, kept]) => await this.#drop(dir, kept)));
  }

  async #make(mirror: Mirror, { oid, folder }: { oid: Oid; folder: string }): Promise<Workspace | undefined> {
    try {
      const { signal } = this.#leaving;
      if (!(await hasRoom(mirror.dir))) return undefined;
      const dir = join(folder, 'workspace');
      return await checkOutFiles({ mirror, dir, startOid: oid, branch: 'spare', checkout: 'full', signal });
    } catch {
      // The run that wants one makes its own, and tells what is wrong.
      return undefined;
    }
  }

  async #drop(mirrorDir: string, kept: Kept): Promise<void> {
    this.#forget(mirrorDir, kept);
    await kept.made;
    // What cannot go now is old some day (`runner/leftovers.ts`).
    await removeTree(kept.folder).catch(() => {});
  }

  #forget(mirrorDir: string, { expiry }: Kept): void {
    clearTimeout(expiry);
    this.#kept.delete(mirrorDir);
  }
}

async function hasRoom(path: string): Promise<boolean> {
  const { bavail, blocks } = await statfs(path);
  return bavail > blocks * FREE_SHARE;
}
