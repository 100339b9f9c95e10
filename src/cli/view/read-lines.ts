/** Reads what a view of tasks shows from the queue. */

import { isExplicit, resourceOf } from '../../claims/claim-set.ts';
import type { Durations } from '../../client/durations.ts';
import { readDurations, readNow } from '../../client/estimate.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { type Blocker, Standing, type World } from '../../client/standing.ts';
import { readWorld } from '../../client/world.ts';
import type { TaskRecord } from '../../queue/record.ts';
import { isTerminal } from '../../task/states.ts';
import type { TaskLine } from './task-line.ts';

/** Durations of the past change slowly, and take long to read. */
const DURATIONS_FOR_MS = 30_000;
/** Of those that wait, so many are looked at; no screen is higher. */
const MOST_WAITING = 200;

/** Reads the lines, again and again. */
export class LineReader {
  readonly #box: Signalbox;
  #durations: { readonly of: Promise<Durations>; readonly at: number } | undefined;

  constructor(box: Signalbox) {
    this.#box = box;
  }

  /** All that runs, holds or waits for something. */
  async fleet(): Promise<TaskLine[]> {
    const world = await readWorld(this.#box.queue);
    const waiting = world.tickets.filter(({ kind }) => kind === 'task').slice(0, MOST_WAITING);
    const ids = [...world.holders.flatMap(({ taskId }) => taskId ?? []), ...waiting.map(({ id }) => id)];
    const tasks = (await this.#linesOf([...new Set(ids)], world)).filter(({ state }) => !isTerminal(state as never));
    return [...tasks, ...(await this.#programs(world))];
  }

  /** These tasks, whatever their state. */
  async tasks(ids: readonly string[]): Promise<TaskLine[]> {
    return await this.#linesOf(ids, await readWorld(this.#box.queue));
  }

  async #linesOf(ids: readonly string[], world: World): Promise<TaskLine[]> {
    const { queue } = this.#box;
    // Of those that others wait for the title is shown.
    const holders = world.holders.flatMap(({ taskId }) => taskId ?? []);
    const [all, durations, now] = await Promise.all([
      queue.store.getMany([...new Set([...ids, ...holders])]),
      this.#known(),
      readNow(queue),
    ]);
    const standing = new Standing(world);
    const titles = new Map(all.map(({ id, title }) => [id, title]));
    const wanted = new Set(ids);
    const records = all.filter(({ id }) => wanted.has(id));
    return records.map((record) => lineOf(record, { durations, now, waitsFor: waitOf(record, standing, titles) }));
  }

  async #programs({ holders }: World): Promise<TaskLine[]> {
    const now = await readNow(this.#box.queue);
    return holders
      .filter(({ kind }) => kind === 'hold')
      .map(({ id, workerId, since, nodes }) => ({
        id,
        title: `${workerId}: ${nodes.filter(isExplicit).map(resourceOf).join(' ')}`,
        branch: '',
        state: 'holds',
        code: null,
        phase: null,
        elapsedMs: Math.max(0, now - since),
        remainingMs: undefined,
        waitsFor: undefined,
      }));
  }

  async #known(): Promise<Durations> {
    const now = performance.now();
    if (this.#durations === undefined || now - this.#durations.at > DURATIONS_FOR_MS)
      this.#durations = { of: readDurations(this.#box.queue), at: now };
    return await this.#durations.of;
  }
}

interface Beside {
  readonly durations: Durations;
  readonly now: number;
  readonly waitsFor: TaskLine['waitsFor'];
}

function lineOf(record: TaskRecord, { durations, now, waitsFor }: Beside): TaskLine {
  const { id, title, branch, state, code, phases, startedAt, submittedAt, finishedAt } = record;
  const elapsedMs = Math.max(0, (finishedAt ?? now) - (startedAt ?? submittedAt));
  const remainingMs = state === 'running' ? durations.remaining(record, elapsedMs) : undefined;
  return { id, title, branch, state, code, phase: phases.at(-1)?.name ?? null, elapsedMs, remainingMs, waitsFor };
}

function waitOf(record: TaskRecord, standing: Standing, titles: ReadonlyMap<string, string>): TaskLine['waitsFor'] {
  const ticket = standing.ticket(record.id);
  const [blocker] =
    ticket?.state === 'waiting'
      ? standing.blockersOf(ticket)
      : record.runnerId === null
        ? []
        : standing.growthBlockersOf(record.runnerId);
  return blocker === undefined ? undefined : { resource: blocker.resource, holder: holderText(blocker, titles) };
}

/** By its title, else by its id. */
function holderText({ holder }: Blocker, titles: ReadonlyMap<string, string>): string {
  const { taskId, workerId, runnerId } = holder;
  return titles.get(taskId ?? '') ?? taskId ?? workerId ?? runnerId ?? '';
}
