/** One round of a soak: tasks flow, faults strike, and at its end the queue comes to rest and the invariants hold. */

import { setTimeout as delay } from 'node:timers/promises';
import { checkInvariants } from '../invariants.ts';
import { none } from '../must.ts';
import { Random } from '../random.ts';
import type { World, WorldPlace } from '../world-core.ts';
import { FAULTS, type Fault } from './faults.ts';
import { Stage } from './stage.ts';

/** What a round is told. */
export interface RoundOptions {
  readonly seed: number;
  /** How long faults strike; the queue is let come to rest after that. */
  readonly forMs: number;
  readonly workers: number;
  readonly place: WorldPlace;
  /** Is told what strikes. */
  readonly note?: (text: string) => void;
  /** Ends the faults before their time. */
  readonly signal?: AbortSignal;
}

/** How often things happened in a round. */
export interface Tally {
  readonly tasks: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Events of all workers by type, and `grant after a crash`. */
  readonly events: Readonly<Record<string, number>>;
}

/** What has to occur in a long soak, else it has shown little. */
export const MUST_OCCUR = ['lease.lost', 'fence.refused', 'publish.doubtful', 'claim.reaped', 'grant after a crash'];

const OPEN_TASKS = 14;
const FEED_EVERY_MS = 250;
const LONGEST_PAUSE_MS = 1_200;

/** Plays a round. Rejects with what was wrong, naming the invariant. */
export async function playRound({ seed, forMs, workers, place, note, signal }: RoundOptions): Promise<Tally> {
  const stage = await Stage.open(place, new Random(seed), workers);
  const { world } = stage;
  try {
    const faults = await disturb(stage, { forMs, note: note ?? (() => {}), signal });
    await world.drained();
    await checkInvariants(world);
    await checkEnds(stage);
    await world.stopWorkers();
    return { tasks: world.ledger.size, faults, events: countEvents(world) };
  } catch (error) {
    if (error instanceof Error) error.message += `\n${await world.describe(error.message)}`;
    throw error;
  } finally {
    await world.close();
  }
}

interface Disturbance {
  readonly forMs: number;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Lets faults strike while tasks flow; answers how often each has. */
async function disturb(stage: Stage, { forMs, note, signal }: Disturbance): Promise<Record<string, number>> {
  const struck: Record<string, number> = {};
  const over = new AbortController();
  const feeding = feedUntil(stage, over.signal);
  // A failure to feed ends the round, where it is awaited.
  feeding.catch(() => over.abort());
  const endAt = performance.now() + forMs;
  const isOver = (): boolean => performance.now() >= endAt || signal?.aborted === true || over.signal.aborted;
  try {
    while (!isOver()) {
      const fault = draw(stage.random);
      note(fault.name);
      if (await fault.strike(stage)) struck[fault.name] = (struck[fault.name] ?? 0) + 1;
      await stage.pass(stage.random.below(LONGEST_PAUSE_MS));
    }
  } finally {
    over.abort();
    stage.heal();
  }
  await feeding;
  return struck;
}

async function feedUntil(stage: Stage, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    // While Redis is away nothing is accepted, and nothing is noted in the ledger.
    await stage.feed(OPEN_TASKS).catch((error: unknown) => {
      if (!isOutage(error)) throw error;
    });
    await delay(FEED_EVERY_MS);
  }
}

function isOutage(error: unknown): boolean {
  const { name, code } = error as { readonly name?: string; readonly code?: string };
  return code === 'REDIS_UNREACHABLE' || name === 'MaxRetriesPerRequestError' || code?.startsWith('ECONN') === true;
}

function draw(random: Random): Fault {
  let at = random.below(FAULTS.reduce((sum, { weight }) => sum + weight, 0));
  const fault = FAULTS.find(({ weight }) => (at -= weight) < 0);
  if (fault === undefined) throw new Error('no fault was drawn');
  return fault;
}

/** Every task has come to an end that it may come to. */
async function checkEnds({ world, ends }: Stage): Promise<void> {
  const tasks = await Promise.all([...ends.keys()].map(async (id) => await world.client.get(id)));
  const wrong = tasks.filter(
    ({ id, state, code }) => !(ends.get(id)?.includes(state) ?? false) && code !== 'superseded',
  );
  none(
    wrong.map(({ id, state, code, error }) => ({ id, state, code, error, expected: ends.get(id) })),
    'tasks ended as they should not',
  );
}

function countEvents(world: World): Record<string, number> {
  const counts: Record<string, number> = { 'grant after a crash': grantsAfterCrash(world) };
  for (const { event } of world.events()) counts[event] = (counts[event] ?? 0) + 1;
  return counts;
}

/** How many were granted what they waited for by the reaping of its dead holder. */
function grantsAfterCrash(world: World): number {
  const reaped = world.events('claim.reaped');
  const granted = world.events('task.granted');
  return world
    .events('task.blocked')
    .filter((blocked) =>
      reaped.some(
        (reap) =>
          reap['taskId'] === blocked['holderTaskId'] &&
          String(reap['time']) >= String(blocked['time']) &&
          granted.some(
            (grant) => grant['taskId'] === blocked['taskId'] && String(grant['time']) >= String(reap['time']),
          ),
      ),
    ).length;
}
