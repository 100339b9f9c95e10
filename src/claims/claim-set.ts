/** From what a task declares to the set of nodes it must hold: pure, and the same for the same claim. */

import { type ClaimPath, foldPath, normalizeClaimPath } from '../task/paths.ts';
import { join, type Mode, type NodeMode } from './modes.ts';

/** What is claimed: on one repository, a branch and paths; and counted things. Paths and globs are as submitted. */
export interface ClaimSpec {
  /** The repository's identity, see `task/repository.ts`. */
  readonly repoKey: string;
  readonly branch?: string;
  readonly write: readonly string[];
  readonly read: readonly string[];
  /** Named resources, one slot of each. */
  readonly resources?: readonly string[];
  /** Whose quota counts it; taken without a limit too, so that one set later counts what runs. */
  readonly owner?: string;
  readonly spec?: string | undefined;
}

/** One lock: its name, the mode, and how to show it where the name is folded. */
export interface ClaimNode {
  readonly name: string;
  readonly mode: NodeMode;
  /** The path, branch or name as submitted. */
  readonly shown: string;
}

/** Claims with more nodes than this are widened to folders: too much is safe, too little is not. */
export const MAX_NODES = 1_000;

/**
 * The nodes to hold for `spec`: the branch first, then paths from the root down, so that a conflict shows early, and
 * what is counted last: it is waited for by tasks that could have all else.
 */
export function claimSet(spec: ClaimSpec): ClaimNode[] {
  const paths = escalate([
    ...spec.write.map((path) => ({ path: normalizeClaimPath(path), write: true })),
    ...spec.read.map((path) => ({ path: normalizeClaimPath(path), write: false })),
  ]);
  const branch: ClaimNode[] =
    spec.branch === undefined ? [] : [{ name: branchNode(spec.repoKey, spec.branch), mode: 'X', shown: spec.branch }];
  const counted = [
    ...[...new Set(spec.resources)].map((name) => slotNode('resource', name)),
    ...(spec.owner === undefined ? [] : [slotNode('owner', spec.owner)]),
    ...(spec.spec === undefined ? [] : [slotNode('spec', spec.spec)]),
  ];
  return [...branch, ...pathNodes(spec.repoKey, paths), ...counted];
}

/** The kinds of things that are counted. */
export const COUNTED = ['resource', 'owner', 'spec'] as const;

/** The node of a counted thing: of no repository, so that its name begins with `#`. */
function slotNode(kind: (typeof COUNTED)[number], name: string): ClaimNode {
  return { name: `#${kind}:${name}`, mode: 'slot', shown: name };
}

/** The lock name of a branch. Case is kept: git's refs differ by it on most remotes. */
export function branchNode(repoKey: string, branch: string): string {
  return `${escapeRepo(repoKey)}#branch:${branch}`;
}

/** The lock name of a folded path, '' being the whole repository. */
export function pathNode(repoKey: string, foldedPath: string): string {
  return `${escapeRepo(repoKey)}#path:${foldedPath}`;
}

/** What a lock name says. */
export interface NodeName {
  /** Empty for what is counted. */
  readonly repo: string;
  readonly kind: 'branch' | 'path' | (typeof COUNTED)[number];
  readonly value: string;
}

/** Takes a lock name apart. */
export function parseNode(name: string): NodeName {
  const hash = name.indexOf('#');
  const colon = name.indexOf(':', hash);
  const word = name.slice(hash + 1, colon);
  const kind = (['branch', ...COUNTED] as const).find((known) => known === word) ?? 'path';
  return {
    repo: name.slice(0, hash).replaceAll('%23', '#').replaceAll('%25', '%'),
    kind,
    value: name.slice(colon + 1),
  };
}

/** Whether a lock was asked for, rather than taken because something below it was. */
export function isExplicit({ mode }: Pick<ClaimNode, 'mode'>): boolean {
  return mode !== 'IS' && mode !== 'IX';
}

/** How a node is written for people and in JSON: `branch:NAME`, `resource:NAME`, …; `path:.` is the whole repository. */
export function resourceOf(node: Pick<ClaimNode, 'name' | 'shown'>): string {
  const { kind } = parseNode(node.name);
  return `${kind}:${kind === 'path' && node.shown === '' ? '.' : node.shown}`;
}

/** The folders above a path, from the root ('') down. */
export function foldersAbove(path: string): string[] {
  if (path === '') return [];
  const folders = [''];
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
    folders.push(path.slice(0, slash));
  return folders;
}

/** A test of paths: whether one of these claimed paths and globs holds it, being it or a folder above it. */
export function coverage(claims: readonly string[]): (path: string) => boolean {
  const names = new Set(claims.map((claim) => normalizeClaimPath(claim).name));
  return (path) => {
    const folded = foldPath(path);
    return names.has(folded) || foldersAbove(folded).some((folder) => names.has(folder));
  };
}

interface PathClaim {
  readonly path: Pick<ClaimPath, 'name' | 'shown'>;
  readonly write: boolean;
}

function pathNodes(repoKey: string, claims: readonly PathClaim[]): ClaimNode[] {
  const nodes: Wanted = new Map();
  const want = (path: PathClaim['path'], mode: Mode): void => {
    const had = nodes.get(path.name);
    nodes.set(path.name, had === undefined ? { mode, shown: path.shown } : { ...had, mode: join(had.mode, mode) });
  };
  for (const { path, write } of claims) {
    want(path, write ? 'X' : 'S');
    const shown = foldersAbove(path.shown);
    for (const [depth, name] of foldersAbove(path.name).entries()) {
      want({ name, shown: shown[depth] ?? name }, write ? 'IX' : 'IS');
    }
  }
  const root = pathNode(repoKey, '');
  return [...nodes]
    .filter(([path, { mode }]) => !isCovered(path, mode, nodes))
    .sort(([one], [other]) => compareNames(one, other))
    .map(([path, { mode, shown }]) => ({ name: root + path, mode, shown }));
}

/** What is wanted of each path of one repository. */
type Wanted = Map<string, { readonly mode: Mode; readonly shown: string }>;

/** A node below one that is wholly held needs no lock of its own: X covers all, S and SIX cover reads. */
function isCovered(path: string, mode: Mode, nodes: Wanted): boolean {
  const above = foldersAbove(path).map((folder) => nodes.get(folder)?.mode);
  if (above.includes('X')) return true;
  const reads = mode === 'S' || mode === 'IS';
  return reads && (above.includes('S') || above.includes('SIX'));
}

/** Widens the deepest claims to their folders until the whole fits. */
function escalate(claims: readonly PathClaim[]): readonly PathClaim[] {
  let current = claims;
  while (countNodes(current) > MAX_NODES) {
    const deepest = Math.max(...current.map(({ path }) => depthOf(path.name)));
    if (deepest === 0) return current;
    const widened = new Map<string, PathClaim>();
    for (const claim of current) {
      const path = depthOf(claim.path.name) === deepest ? parentOf(claim.path) : claim.path;
      widened.set(`${claim.write} ${path.name}`, { path, write: claim.write });
    }
    current = [...widened.values()];
  }
  return current;
}

function countNodes(claims: readonly PathClaim[]): number {
  // No claim has more nodes than its path has characters, and one for the root: mostly that is few enough.
  const most = claims.reduce((sum, { path }) => sum + path.name.length + 1, 0);
  if (most <= MAX_NODES) return most;
  return new Set(claims.flatMap(({ path }) => [path.name, ...foldersAbove(path.name)])).size;
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}

function parentOf(path: PathClaim['path']): PathClaim['path'] {
  const cut = (text: string): string => text.slice(0, Math.max(0, text.lastIndexOf('/')));
  return { name: cut(path.name), shown: cut(path.shown) };
}

function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function escapeRepo(repoKey: string): string {
  return repoKey.replaceAll('%', '%25').replaceAll('#', '%23');
}
