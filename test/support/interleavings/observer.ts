/**
 * What the steps of a schedule report of themselves, checked at the moment they report it. It knows a part of the time
 * in which something is held, never more, so whatever it finds wrong is wrong.
 */

import { claimsMeet } from '../system/claims-meet.ts';
import type { TestTask } from '../system/world.ts';

/** A run at work. */
export interface AtWork {
  readonly taskId: string;
  readonly runnerId: string;
  /** The worker it is in. */
  readonly worker: string;
  /** What was submitted, with all that the run claims by now. */
  task: TestTask;
}

interface Change {
  readonly value: number | boolean | null;
  readonly sentAt: number;
  doneAt: number;
}

/** Watches one schedule. */
export class Observer {
  /** What was found wrong, in words. */
  readonly wrongs: string[] = [];
  /** How many runs have been at work, and how many met something: a schedule without any shows nothing. */
  runs = 0;
  readonly #atWork = new Set<AtWork>();
  readonly #changes = new Map<string, Change[]>();
  readonly #takenAt = new Map<string, number>();

  /** A worker has taken a task's job: its claim is asked for from now on. */
  taken(taskId: string): void {
    this.#takenAt.set(taskId, performance.now());
  }

  /** Notes a change of what is in force, `name` being a limit or `paused`, while it is made. */
  async changing<T>(name: string, value: Change['value'], make: () => Promise<T>): Promise<T> {
    const change: Change = { value, sentAt: performance.now(), doneAt: Number.POSITIVE_INFINITY };
    this.#changes.set(name, [...(this.#changes.get(name) ?? []), change]);
    const made = await make();
    change.doneAt = performance.now();
    return made;
  }

  /** A run begins to work. */
  begins(run: AtWork): void {
    this.runs += 1;
    const since = this.#takenAt.get(run.taskId) ?? 0;
    if (this.#values('paused', since).every((value) => value === true) && this.#changes.has('paused'))
      this.#wrong(`${run.taskId} began while the queue was paused`);
    this.#atWork.add(run);
    this.#checkMeetings(run);
    for (const name of countedOf(run.task)) this.#checkCount(name, since);
  }

  /** A run has got more. */
  grew(run: AtWork, write: readonly string[]): void {
    run.task = { ...run.task, claims: { ...run.task.claims, write: [...write] } };
    this.#checkMeetings(run);
  }

  /** A run works no more. */
  ends(run: AtWork): void {
    this.#atWork.delete(run);
  }

  /** A worker is gone, and all that it had at work. */
  died(worker: string): void {
    for (const run of this.#atWork) if (run.worker === worker) this.#atWork.delete(run);
  }

  #checkMeetings(run: AtWork): void {
    for (const other of this.#atWork) {
      if (other === run) continue;
      if (other.taskId === run.taskId) this.#wrong(`${run.taskId} ran twice at the same time`);
      // Who proceeds runs beside the holders of its paths, but never beside that of its branch.
      const proceeds = [run, other].some(({ task }) => task.onConflict === 'proceed');
      const [mine, theirs] = proceeds ? [withoutPaths(run.task), withoutPaths(other.task)] : [run.task, other.task];
      if (claimsMeet(mine, theirs))
        this.#wrong(
          `${run.taskId} ran beside ${other.taskId}: ${JSON.stringify([run.task.claims, other.task.claims])}`,
        );
    }
  }

  #checkCount(name: string, since: number): void {
    const count = [...this.#atWork].filter(({ task }) => countedOf(task).includes(name)).length;
    const values = this.#values(name, since);
    if (values.length === 0 || values.includes(null)) return;
    const most = Math.max(...values.map(Number));
    if (count > most) this.#wrong(`${count} had ${name}, which was at most ${most}`);
  }

  /** What may have been in force at some moment since then. */
  #values(name: string, since: number): Change['value'][] {
    const changes = this.#changes.get(name) ?? [];
    const first = changes.every(({ doneAt }) => doneAt > since) ? [name === 'paused' ? false : null] : [];
    const inForce = changes.filter((change) => {
      const later = changes.filter(({ sentAt }) => sentAt >= change.doneAt);
      return Math.min(...later.map(({ doneAt }) => doneAt)) > since;
    });
    return [...first, ...inForce.map(({ value }) => value)];
  }

  #wrong(what: string): void {
    this.wrongs.push(what);
  }
}

function countedOf({ owner, claims }: TestTask): string[] {
  return [
    ...(owner === undefined ? [] : [`owner:${owner}`]),
    ...(claims?.resources ?? []).map((one) => `resource:${one}`),
  ];
}

function withoutPaths(task: TestTask): TestTask {
  return { ...task, claims: {} };
}
