/**
 * Lists of nodes as they are stored, and sent to scripts: `[repo, mode, name, mode, name …]` as JSON, in names without the
 * repository, which each would repeat; a name that is shown differently is `[name, shown]`, and one of another repository
 * `[name, shown, repo]`. The other half is `node-list.lua`.
 */

import { z } from 'zod';
import type { ClaimNode } from './claim-set.ts';
import { MODES } from './modes.ts';

const text = z.string();
const stored = z.tuple([text]).rest(z.union([text, z.tuple([text, text]), z.tuple([text, text, text])]));
type StoredName = z.infer<typeof stored>[number];

/** Writes a list of nodes. */
export function writeNodes(nodes: readonly ClaimNode[]): string {
  // Counted things are of no repository.
  const own = nodes.map(({ name }) => repoOf(name)).find((repo) => repo !== '') ?? '';
  return JSON.stringify([own, ...nodes.flatMap((node) => [node.mode, stripped(node, own)])]);
}

function stripped({ name, shown }: ClaimNode, own: string): StoredName {
  const repo = repoOf(name);
  if (repo === '') return name;
  const short = name.slice(repo.length + 1);
  if (repo !== own) return [short, shown, repo];
  return valueOf(short) === shown ? short : [short, shown];
}

/** Reads a stored list of nodes; what is none, see `isNodeList`, is not told: thousands are read at once. */
export function readNodes(json: string): ClaimNode[] {
  const [own, ...rest] = JSON.parse(json) as z.infer<typeof stored>;
  return Array.from({ length: rest.length / 2 }, (_, i) => {
    const [mode, named = ''] = rest.slice(2 * i, 2 * i + 2);
    const [short, shown = valueOf(short), repo = own] = typeof named === 'string' ? [named] : named;
    return {
      name: short.startsWith('#') ? short : `${repo}#${short}`,
      mode: mode === 'slot' ? mode : (MODES.find((known) => known === mode) ?? 'X'),
      shown,
    };
  });
}

/** Whether a text is a stored list of nodes. */
export function isNodeList(json: string): boolean {
  try {
    return stored.parse(JSON.parse(json)).length % 2 === 1;
  } catch {
    return false;
  }
}

function repoOf(name: string): string {
  return name.slice(0, name.indexOf('#'));
}

function valueOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
