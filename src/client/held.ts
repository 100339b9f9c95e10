/** What holders hold, read from the very structures that the scripts decide by. */

import { parseNode, resourceOf } from '../claims/claim-set.ts';
import { readNodes } from '../claims/node-list.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { TicketNode } from '../waiting/line.ts';

/** A holder's record. Times in ms since the epoch. */
export interface Holder {
  readonly id: string;
  readonly kind: 'run' | 'hold' | 'merged';
  readonly taskId: string | null;
  readonly workerId: string;
  readonly since: number;
  readonly nodes: readonly TicketNode[];
  /** For what is kept until a branch is merged: the node of that branch. */
  readonly branch: string | null;
  /** What a run waits for that asked for more while it runs; `number` tells who asked first. */
  readonly growth: { readonly number: number; readonly wanted: readonly TicketNode[] } | null;
}

/** How a claim is held, in the words of the JSON contract. */
export type ClaimMode = 'write' | 'read' | 'slot';

/** A resource as it was claimed: the locks on the folders above it are left out. */
export interface HeldResource {
  readonly repo: string;
  readonly resource: string;
  readonly mode: ClaimMode;
}

/** All holders, those that have held longest first; after those that live, what is kept until a branch is merged. */
export async function readHolders({ redis, keys }: TaskQueue): Promise<Holder[]> {
  const [live, merged] = await Promise.all([
    redis.zrange(keys.all('holders'), '0', '-1'),
    redis.zrange(keys.all('merged'), '0', '-1'),
  ]);
  const ids = [...new Set([...live, ...merged])];
  const pipeline = redis.pipeline();
  for (const id of ids) pipeline.hgetall(keys.key('record', id));
  const replies = (await pipeline.exec()) ?? [];
  return replies.flatMap(([, hash], i) => {
    const { kind, task, worker, since, nodes, wanted, growth, branch } = hash as Record<string, string>;
    if (nodes === undefined) return [];
    return [
      {
        id: ids[i] ?? '',
        kind: kind === 'hold' || kind === 'merged' ? kind : 'run',
        taskId: task === undefined || task === '' ? null : task,
        workerId: worker ?? '',
        since: Number(since),
        nodes: readNodes(nodes),
        branch: branch ?? null,
        growth: wanted === undefined ? null : { number: Number(growth), wanted: readNodes(wanted) },
      } satisfies Holder,
    ];
  });
}

/** A claimed node in the words of the contract. */
export function heldResource(node: TicketNode): HeldResource {
  return { repo: parseNode(node.name).repo, resource: resourceOf(node), mode: claimMode(node.mode) };
}

/** X is a write, S a read; SIX is both, and its write shows at the node below. */
export function claimMode(mode: TicketNode['mode']): ClaimMode {
  if (mode === 'slot') return 'slot';
  return mode === 'X' || mode === 'IX' ? 'write' : 'read';
}
