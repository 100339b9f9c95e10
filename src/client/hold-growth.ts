/** More for a program that holds already: at once, or refused. */

import { setTimeout as delay } from 'node:timers/promises';
import { LOCK_SERVERS } from '../claims/answers.ts';
import type { Claim } from '../claims/claim.ts';
import type { ClaimNode } from '../claims/claim-set.ts';
import { join } from '../claims/modes.ts';
import type { Timings } from '../config/timings.ts';
import { SignalboxError } from '../errors.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { conflict, obstacleOf } from './obstacle.ts';

/** What grows. */
export interface Growing {
  readonly queue: TaskQueue;
  readonly timings: Timings;
  readonly claim: Claim;
  /** What it holds when it begins. */
  readonly nodes: readonly ClaimNode[];
}

/**
 * Makes the function that takes more branch and path nodes; one growth at a time. It throws CONFLICT when others hold
 * something of it, and LEASE_LOST. Counted things are left to the first claim: they are not part of a growth.
 */
export function growHeld({ queue, timings, claim, nodes }: Growing): (more: readonly ClaimNode[]) => Promise<void> {
  let held = nodes.filter(({ mode }) => mode !== 'slot');
  let turn: Promise<void> = Promise.resolve();
  const growNow = async (more: readonly ClaimNode[]): Promise<void> => {
    const union = unionOf(held, more);
    for (;;) {
      claim.signal.throwIfAborted();
      const grown = await claim.grow({ nodes: union, mayWait: false, isLanding: false });
      if (grown.kind === 'grown') break;
      if (grown.kind === 'lost') {
        claim.signal.throwIfAborted();
        throw lost();
      }
      if (grown.obstacle !== LOCK_SERVERS)
        throw conflict(await obstacleOf(queue, more, { name: grown.obstacle, blocker: grown.blocker }));
      // The queue's Redis has given it; lock servers agree within a lease, since nobody else can get it meanwhile.
      await delay(timings.renewEveryMs);
    }
    held = union;
  };
  return async (more) => {
    const mine = turn.then(async () => await growNow(more));
    turn = mine.catch(() => {});
    await mine;
  };
}

/** Each node once, in the mode that grants both. */
export function unionOf(held: readonly ClaimNode[], more: readonly ClaimNode[]): ClaimNode[] {
  const all = new Map(held.map((node) => [node.name, node]));
  for (const node of more) {
    const had = all.get(node.name);
    if (had === undefined || had.mode === 'slot' || node.mode === 'slot') all.set(node.name, node);
    else all.set(node.name, { ...had, mode: join(had.mode, node.mode) });
  }
  return [...all.values()];
}

function lost(): SignalboxError {
  return new SignalboxError('LEASE_LOST', 'The claim is lost: Redis no longer has its record.', {
    next: 'Claim it again; others may have worked on the same things meanwhile.',
  });
}
