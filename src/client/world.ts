/** Reads what is held, who waits and what is limited. */

import type { TaskQueue } from '../queue/task-queue.ts';
import { readHolders } from './held.ts';
import { Standing, type WaitingTicket, type World } from './standing.ts';

/** How often it is read again when a ticket seems to wait for nothing: something was released meanwhile. */
const LOOKS = 5;

/** The world as it is now. */
export async function readWorld(queue: TaskQueue): Promise<World> {
  const [holders, tickets, limits, isPaused] = await Promise.all([
    readHolders(queue),
    readTickets(queue),
    queue.line.limits(),
    queue.line.isPaused(),
  ]);
  return { holders, tickets, limits: new Map(Object.entries(limits)), isPaused };
}

/** The tickets with what else the scripts look at. */
async function readTickets({ redis, keys, line }: TaskQueue): Promise<WaitingTicket[]> {
  const tickets = await line.tickets();
  const pipeline = redis.pipeline();
  for (const { id } of tickets) pipeline.hmget(keys.key('ticket', id), 'policy', 'exempt');
  const replies = (await pipeline.exec()) ?? [];
  return tickets.map((ticket, i) => {
    const [policy, exempt] = (replies[i]?.[1] ?? []) as (string | null)[];
    const branches: unknown = JSON.parse(exempt ?? '[]');
    // Lua writes an empty list as an object.
    const [prefix = '', ...names] = Array.isArray(branches) ? (branches as string[]) : [];
    return { ...ticket, proceeds: policy === 'proceed', exempt: names.map((name) => prefix + name) };
  });
}

/** The world, and in it what some tickets wait for: not taken apart by what happens between two reads. */
export async function readWorldOf(
  queue: TaskQueue,
  ticketIds: readonly string[],
): Promise<{ world: World; standing: Standing }> {
  for (let look = 1; ; look += 1) {
    const world = await readWorld(queue);
    const standing = new Standing(world);
    const tickets = ticketIds.map((id) => standing.ticket(id)).filter((ticket) => ticket?.state === 'waiting');
    const isClear =
      world.isPaused || tickets.every((ticket) => ticket === undefined || standing.blockersOf(ticket).length > 0);
    if (isClear || look === LOOKS) return { world, standing };
  }
}
