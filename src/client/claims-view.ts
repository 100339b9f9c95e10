/** What is held and who waits for it: `claims`. */

import { isExplicit, parseNode, resourceOf } from '../claims/claim-set.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { Ticket, TicketNode } from '../waiting/line.ts';
import { type HeldResource, heldResource } from './held.ts';
import { type BlockingHolder, Standing } from './standing.ts';
import { readWorld } from './world.ts';

/** What `claims` answers. */
export interface ClaimsView {
  readonly held: readonly (HeldResource & {
    readonly taskId: string | null;
    readonly runnerId: string;
    readonly workerId: string;
    readonly since: string;
  })[];
  readonly waiting: readonly {
    readonly taskId: string;
    readonly resource: string;
    readonly position: number;
    readonly since: string;
    readonly passedOver: number;
    /** Who has it; null where nobody does, as in a paused queue. */
    readonly holder: BlockingHolder | null;
  }[];
}

/** What is held and who waits, for one repository (by its identity) or all. */
export async function readClaims(queue: TaskQueue, repoKey?: string): Promise<ClaimsView> {
  const world = await readWorld(queue);
  const { holders, tickets } = world;
  const standing = new Standing(world);
  const wanted = (node: Pick<TicketNode, 'name'>): boolean =>
    repoKey === undefined || parseNode(node.name).repo === repoKey;
  return {
    held: holders.flatMap(({ id, taskId, workerId, since, nodes }) =>
      nodes
        .filter(isExplicit)
        .filter(wanted)
        .map((node) => ({
          ...heldResource(node),
          taskId,
          runnerId: id,
          workerId,
          since: new Date(since).toISOString(),
        })),
    ),
    waiting: tickets
      .filter((ticket) => ticket.state === 'waiting' && wanted({ name: ticket.obstacle ?? '' }))
      .map((ticket) => ({
        taskId: ticket.id,
        resource: obstacleOf(ticket),
        position: standing.aheadOf(ticket).length + 1,
        since: new Date(ticket.since).toISOString(),
        passedOver: ticket.passed,
        holder: standing.blockersOf(ticket)[0]?.holder ?? null,
      })),
  };
}

/** What a ticket is filed under, as people call it. */
function obstacleOf({ obstacle = '', nodes }: Ticket): string {
  const node = nodes.find(({ name }) => name === obstacle);
  return resourceOf(node ?? { name: obstacle, shown: parseNode(obstacle).value });
}
