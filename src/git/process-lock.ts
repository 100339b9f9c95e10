/**
 * A lock between the processes of one host, for what git cannot share. A folder holds numbered files; whoever made
 * the highest number holds the lock while its process lives and the file is not empty.
 *
 * One fixed file name would not do: between "its owner is dead" and "remove it" somebody else may have taken it.
 * Numbers only grow, since the highest file is never removed: a number is made once (`link` fails if it exists) by
 * one who saw the number before it free, and who then looks again that nobody is higher. To release is to empty the
 * file. kill -9 therefore leaves nothing that has to be cleaned up.
 */

import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { liveness, ownIdentity, type ProcessIdentity } from './process-identity.ts';

const BEAT_MS = 5_000;
/** A holder in another container cannot be proven dead; without a beat for so long it is taken for dead. */
const SILENT_MS = 60_000;
const MAX_PAUSE_MS = 200;

/** A lock that is held. */
export interface HeldLock {
  /** Unique to this holding; give it to child processes so that a successor can find them. */
  readonly token: string;
  /** The tokens of the holders that died with the lock since it was last released in order, the latest first. */
  readonly deadTokens: readonly string[];
}

type Owner = ProcessIdentity & HeldLock;
type State = { readonly free: true; readonly deadTokens: readonly string[] } | { readonly free: false };

const RELEASED: State = { free: true, deadTokens: [] };

/** Runs `work` while holding the lock `folder`. Waits as long as another process that lives holds it. */
export async function withProcessLock<T>(
  folder: string,
  work: (lock: HeldLock) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const { file, owner } = await take(folder, signal);
  const beat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), BEAT_MS);
  beat.unref();
  try {
    return await work(owner);
  } finally {
    clearInterval(beat);
    // Missing only if the whole folder was removed, and the lock with it.
    await truncate(file).catch(() => {});
  }
}

async function take(folder: string, signal: AbortSignal | undefined): Promise<{ file: string; owner: Owner }> {
  const identity = await ownIdentity();
  for (let wait = 5; ; wait = Math.min(wait * 2, MAX_PAUSE_MS)) {
    signal?.throwIfAborted();
    const newest = await highest(folder);
    const state: State = newest === 0 ? RELEASED : await stateOf(join(folder, String(newest)));
    if (state.free) {
      const owner = { ...identity, token: randomUUID(), deadTokens: state.deadTokens };
      if (await make(folder, newest + 1, owner)) return { file: join(folder, String(newest + 1)), owner };
    }
    await pause(wait * (0.5 + Math.random()));
  }
}

async function make(folder: string, number: number, owner: Owner): Promise<boolean> {
  const draft = join(folder, `draft-${owner.token}`);
  const file = join(folder, String(number));
  await writeFile(draft, JSON.stringify(owner));
  // Linked, not written in place: nobody ever reads half an owner.
  const made = await link(draft, file).then(
    () => true,
    () => false,
  );
  await rm(draft, { force: true });
  if (!made) return false;
  if ((await highest(folder)) !== number) {
    await rm(file, { force: true });
    return false;
  }
  const older = (await readdir(folder)).filter((name) => Number(name) < number);
  await Promise.all(older.map((name) => rm(join(folder, name), { force: true })));
  return true;
}

async function highest(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map(Number).filter(Number.isInteger);
  return Math.max(0, ...numbers);
}

async function stateOf(file: string): Promise<State> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  // Gone: a higher number has been made meanwhile.
  if (text === undefined) return { free: false };
  if (text === '') return RELEASED;
  const owner = JSON.parse(text) as Owner;
  const life = await liveness(owner);
  if (life === 'alive') return { free: false };
  if (life === 'unknown' && !(await isSilent(file))) return { free: false };
  return { free: true, deadTokens: [owner.token, ...owner.deadTokens] };
}

async function isSilent(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > SILENT_MS;
}
