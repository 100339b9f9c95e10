/** What stands in the way of a program's claim, and the error that says so. */

import { type ClaimNode, resourceOf } from '../claims/claim-set.ts';
import { conflicts } from '../claims/modes.ts';
import { SignalboxError } from '../errors.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { TicketNode } from '../waiting/line.ts';
import { readHolders } from './held.ts';

/** What stands in the way, as `branch:NAME`, `path:PATH` or `resource:NAME`, and who has it: a task, or a program on its host. */
export interface Obstacle {
  readonly resource: string;
  /** Empty when nobody can be named. */
  readonly holder: string;
  /** Since when, ISO 8601; null when nobody can be named. */
  readonly since: string | null;
}

/** What was refused: the node, and who has it as far as the script said. */
export interface RefusedNode {
  readonly name: string | undefined;
  readonly blocker?: string;
}

/** Read after the refusal, so that a name may be missing when all has come free meanwhile. */
export async function obstacleOf(
  queue: TaskQueue,
  nodes: readonly ClaimNode[],
  { name, blocker = '' }: RefusedNode,
): Promise<Obstacle> {
  const at = nodes.find((node) => node.name === name);
  if (at === undefined) return { resource: 'the claim', holder: '', since: null };
  const isInTheWay = (node: TicketNode): boolean =>
    node.name === at.name && (at.mode === 'slot' || conflicts(node.mode, at.mode));
  const found = (await readHolders(queue)).find((holder) => holder.nodes.some(isInTheWay));
  const holder = found === undefined ? blocker : (found.taskId ?? `${found.id} (${found.workerId})`);
  return { resource: resourceOf(at), holder, since: found === undefined ? null : new Date(found.since).toISOString() };
}

/** The error of a claim that may not wait, or that has waited for `waitedMs`. */
export function conflict({ resource, holder, since }: Obstacle, waitedMs?: number): SignalboxError {
  const by = holder === '' ? '' : ` by ${holder}`;
  const from = since === null || waitedMs !== undefined ? '' : ` since ${since}`;
  const message =
    waitedMs === undefined
      ? `${resource} is held${by}${from}.`
      : `${resource} was held${by} when the wait began, and did not come free in time.`;
  return new SignalboxError('CONFLICT', message, {
    next: 'See who has it with `signalbox claims`; try again later, or let it wait for its turn.',
    details: { resource, holder, since },
  });
}
