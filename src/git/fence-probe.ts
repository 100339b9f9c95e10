/** Finds out whether a remote can fence runs, by doing there what a run does. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRunnerId } from '../task/ids.ts';
import type { Git } from './git.ts';
import { makeEntry } from './ledger.ts';
import { pushRefs } from './push.ts';

/** Why a remote cannot keep ledgers: `refused`, with its words; `unknown`, because it did not say. */
export type ProbeAnswer = { readonly kind: 'able' } | { readonly kind: 'refused' | 'unknown'; readonly why: string };

/**
 * Makes two refs under `refs/signalbox/probe/` in one atomic push and takes them away again. Needs leave to push, as
 * workers do.
 */
export async function probeFence(git: Git, url: string): Promise<ProbeAnswer> {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-probe-'));
  try {
    await git(['init', '--quiet', '--bare', '--template=', '--', dir]);
    const place = { git, dir, url };
    const id = newRunnerId();
    const writer = { queue: 'probe', taskId: id, run: 0, runnerId: id };
    const entry = await makeEntry(place, writer, { word: { kind: 'token' }, parent: null });
    const refs = ['a', 'b'].map((name) => `refs/signalbox/probe/${id}-${name}`);
    const answer = await pushRefs(
      place,
      refs.map((ref) => ({ ref, from: null, to: entry })),
    );
    if (answer.kind === 'accepted') {
      await git(['push', '--quiet', '--', url, ...refs.map((ref) => `:${ref}`)], { gitDir: dir, remote: true });
      return { kind: 'able' };
    }
    if (answer.kind === 'refused') return { kind: 'refused', why: answer.message };
    return { kind: 'unknown', why: answer.error instanceof Error ? answer.error.message : String(answer.error) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
