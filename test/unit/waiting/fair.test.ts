import fc from 'fast-check';
import { expect, test } from 'vitest';
import { costOf, type Entry, FairQueue } from '../../../src/waiting/fair.ts';
import { PRIORITIES, type Priority, QUANTUM } from '../../../src/waiting/rank.ts';

/** One slot, every task as long as any other: who starts when. */
class Slot {
  readonly queue = new FairQueue();
  /** In the order of arrival, which decides between equal ranks. */
  readonly #ranks = new Map<string, number>();

  submit(entry: Entry): void {
    this.#ranks.set(entry.id, this.queue.enter(entry));
  }

  /** Starts the first by rank, between equals the older one. */
  start(): string | undefined {
    let first: string | undefined;
    for (const [id, rank] of this.#ranks) {
      if (first === undefined || rank < (this.#ranks.get(first) ?? 0)) first = id;
    }
    if (first === undefined) return undefined;
    this.#ranks.delete(first);
    this.queue.leave(first);
    return first;
  }
}

function many(owner: string, count: number, more: Partial<Entry> = {}): Entry[] {
  return Array.from({ length: count }, (_, at) => ({
    id: `${owner}-${at}`,
    owner,
    priority: 'normal' as Priority,
    ...more,
  }));
}

test('another’s single task comes before all that waits of an owner’s thousand, whenever it comes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999 }), (after) => {
      const slot = new Slot();
      for (const entry of many('a', 1_000)) slot.submit(entry);
      for (let started = 0; started < after; started += 1) slot.start();
      slot.submit({ id: 'single', owner: 'b', priority: 'normal' });
      expect(slot.start()).toBe('single');
    }),
    { numRuns: 30 },
  );
});

test('an endless row of new owners does not hold up those who wait', () => {
  const slot = new Slot();
  for (const entry of many('a', 10)) slot.submit(entry);
  const started: (string | undefined)[] = [];
  for (let at = 0; at < 1_000; at += 1) {
    slot.submit({ id: `new-${at}`, owner: `new-${at}`, priority: 'normal' });
    started.push(slot.start());
  }
  expect(started.filter((id) => id?.startsWith('a-'))).toHaveLength(10);
});

test('what an owner has run before is not held against it, nor saved up for it', () => {
  const slot = new Slot();
  for (const entry of many('busy', 500)) slot.submit(entry);
  for (let started = 0; started < 500; started += 1) slot.start();
  for (const entry of many('new', 100)) slot.submit(entry);
  slot.submit({ id: 'again', owner: 'busy', priority: 'normal' });
  expect([slot.start(), slot.start()]).toContain('again');
});

test('owners share in proportion to their weights', () => {
  const slot = new Slot();
  for (const entry of many('heavy', 300, { weight: 2 })) slot.submit(entry);
  for (const entry of many('light', 300)) slot.submit(entry);
  const first = Array.from({ length: 90 }, () => slot.start()?.split('-')[0]);
  const share = first.filter((owner) => owner === 'heavy').length;
  expect(share).toBeGreaterThanOrEqual(59);
  expect(share).toBeLessThanOrEqual(61);
});

test('a higher priority goes first, of the same owner and of another', () => {
  const slot = new Slot();
  for (const entry of many('a', 50)) slot.submit(entry);
  for (const priority of ['low', 'normal', 'high', 'urgent'] as const)
    slot.submit({ id: priority, owner: 'a', priority });
  slot.submit({ id: 'other', owner: 'b', priority: 'high' });
  expect(new Set([slot.start(), slot.start(), slot.start()])).toEqual(new Set(['high', 'other', 'urgent']));
});

test('nothing starves: whatever waits starts while new owners keep coming with higher priorities', () => {
  // A lead is a head start in virtual time, which goes on with what runs.
  const slot = new Slot();
  slot.submit({ id: 'patient', owner: 'p', priority: 'low' });
  const backlog = 4;
  let started = 0;
  for (let at = 0; started < 60_000; at += 1) {
    slot.submit({ id: `n-${at}`, owner: `o${at % backlog}`, priority: 'normal' });
    if (at < backlog * 2) continue;
    started += 1;
    if (slot.start() === 'patient') break;
  }
  expect(started).toBeLessThan(60_000);
}, 60_000);

test('a task stopped by its own owner’s limit does not hold virtual time back', () => {
  const queue = new FairQueue();
  queue.enter({ id: 'stopped', owner: 'a', priority: 'normal' });
  for (const entry of many('b', 10)) queue.enter(entry);
  for (let at = 0; at < 9; at += 1) queue.leave(`b-${at}`);
  expect(queue.virtualTime('normal')).toBe(1);
  queue.setStopped('stopped', true);
  const now = queue.virtualTime('normal');
  expect(now).toBeGreaterThan(8 * QUANTUM);
  queue.setStopped('stopped', false);
  expect(queue.virtualTime('normal')).toBe(now);
});

test('virtual time never goes back, and is never later for a higher priority than for a lower one', () => {
  const step = fc.oneof(
    fc.record({ enter: fc.constantFrom('a', 'b', 'c'), priority: fc.constantFrom(...PRIORITIES) }),
    fc.record({ leave: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new FairQueue();
      const waiting: string[] = [];
      let before = PRIORITIES.map(() => 0);
      for (const [at, one] of steps.entries()) {
        if ('enter' in one) {
          queue.enter({ id: `t${at}`, owner: one.enter, priority: one.priority });
          waiting.push(`t${at}`);
        } else {
          const [left] = waiting.splice(one.leave % Math.max(1, waiting.length), 1);
          if (left !== undefined) queue.leave(left);
        }
        const now = PRIORITIES.map((priority) => queue.virtualTime(priority));
        for (const [index, time] of now.entries()) {
          expect(time).toBeGreaterThanOrEqual(before[index] ?? 0);
          expect(time).toBeGreaterThanOrEqual(now[index - 1] ?? 0);
        }
        before = now;
      }
    }),
  );
});

test('a task takes at least one unit of virtual time, at any weight', () => {
  expect(costOf(1)).toBe(QUANTUM);
  expect(costOf(1_000_000)).toBe(1);
});
