/** The repository as a tree of what was waited for or is held. Pure. */

import { resourceParts, shortRepo } from '../words/amount.ts';

/** Something in the repository, and how much of it there is. */
export interface Spot {
  readonly repo: string;
  readonly resource: string;
  readonly amount: number;
}

/** A folder with all that is in it, or one thing. */
export interface TreeNode {
  readonly name: string;
  /** Its whole name, as people would claim it. */
  readonly path: string;
  /** Of itself and all below it. */
  readonly value: number;
  readonly children: TreeNode[];
}

interface Building {
  name: string;
  path: string;
  own: number;
  children: Map<string, Building>;
}

/**
 * A tree for each repository, and in it folders and files, branches, and named things. A folder that was itself waited
 * for has a part of its own, named `itself`, beside what is in it.
 */
export function treeOf(spots: readonly Spot[]): TreeNode[] {
  const top = building('', '');
  const isOne = new Set(spots.map(({ repo }) => repo).filter((repo) => repo !== '')).size <= 1;
  for (const { repo, resource, amount } of spots) {
    if (amount <= 0) continue;
    const [kind, name] = resourceParts(resource);
    const inRepo = repo === '' || isOne ? [] : [shortRepo(repo)];
    const parts = kind === 'path' ? name.split('/') : [kindName(kind), name];
    let node = top;
    for (const part of [...inRepo, ...parts]) {
      const path = node.path === '' ? part : `${node.path}/${part}`;
      const child = node.children.get(part) ?? building(part, path);
      node.children.set(part, child);
      node = child;
    }
    node.own += amount;
  }
  return childrenOf(top);
}

function building(name: string, path: string): Building {
  return { name, path, own: 0, children: new Map() };
}

function childrenOf(node: Building): TreeNode[] {
  const below = [...node.children.values()].map(built);
  const own =
    node.own > 0 && below.length > 0 ? [{ name: 'itself', path: node.path, value: node.own, children: [] }] : [];
  return [...own, ...below].toSorted((a, b) => b.value - a.value);
}

/** Folders with a single thing in them are one step: `src/auth`. */
function built(node: Building): TreeNode {
  const children = childrenOf(node);
  const [only] = children;
  if (children.length === 1 && only !== undefined && node.own === 0)
    return { ...only, name: `${node.name}/${only.name}` };
  const value = node.own + [...node.children.values()].reduce((sum, child) => sum + built(child).value, 0);
  return { name: node.name, path: node.path, value, children };
}

function kindName(kind: string): string {
  switch (kind) {
    case 'branch':
      return 'branches';
    case 'resource':
      return 'resources';
    case 'owner':
      return 'owners';
    case 'spec':
      return 'specs';
    default:
      return kind;
  }
}
