/** Who waits for whom as a small graph: columns from the task to the end of the chain. Pure. */

import type { ChainLink } from '../api/shapes.ts';
import { grouped } from '../grouped.ts';

/** A task, or a program that holds claims, in the graph. */
export interface ChainNode {
  readonly id: string;
  readonly column: number;
  readonly row: number;
}

/** A wait. */
export interface ChainEdge {
  readonly from: ChainNode;
  readonly to: ChainNode;
  readonly link: ChainLink;
}

/** The graph with its size in columns and rows. */
export interface ChainGraphLayout {
  readonly nodes: readonly ChainNode[];
  readonly edges: readonly ChainEdge[];
  readonly columns: number;
  readonly rows: number;
}

/** What is held by nobody who has a name stands for itself. */
const NOBODY = '?';

/**
 * Each node is one column behind the farthest of those who wait for it. A cycle, which the queue does not leave
 * standing, is cut where it would close.
 */
export function chainLayout(chain: readonly ChainLink[]): ChainGraphLayout {
  const waitsFor = grouped(chain, ({ taskId }) => taskId);
  const columns = new Map<string, number>();
  const place = (id: string, column: number, path: ReadonlySet<string>): void => {
    if (path.has(id) || (columns.get(id) ?? -1) >= column) return;
    columns.set(id, column);
    for (const { holderTaskId } of waitsFor.get(id) ?? []) {
      place(holderTaskId ?? NOBODY, column + 1, new Set([...path, id]));
    }
  };
  // The task itself is first in its chain; whoever is ahead of it and waits begins beside it.
  for (const { taskId } of chain) if (!columns.has(taskId)) place(taskId, 0, new Set());
  const rowOf = new Map<number, number>();
  const nodes = [...columns].map(([id, column]) => {
    const row = rowOf.get(column) ?? 0;
    rowOf.set(column, row + 1);
    return { id, column, row };
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = chain.flatMap((link) => {
    const from = byId.get(link.taskId);
    const to = byId.get(link.holderTaskId ?? NOBODY);
    return from === undefined || to === undefined ? [] : [{ from, to, link }];
  });
  return {
    nodes,
    edges,
    columns: Math.max(0, ...columns.values()) + 1,
    rows: Math.max(1, ...rowOf.values()),
  };
}
