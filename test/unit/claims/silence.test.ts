import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Lease, type OverdueLeases, Silence } from '../../../src/claims/silence.ts';
import { timings } from '../../../src/config/timings.ts';

const TIMINGS = timings(10_000);
const { leaseTtlMs: TTL, marginMs, overdueMs, renewEveryMs, reapEveryMs, recoveryMs } = TIMINGS;
const STOPPED_AFTER = TTL - marginMs;

/** A holder, Redis and a reaper, each with a clock of its own kind; time passes only when it is told to. */
class World {
  /** True time, which the holder's and the reaper's clocks follow. */
  now = 0;
  /** By how much Redis' clock is ahead of it. */
  step = 0;
  renewedAt = 0;
  #until: number | undefined = TTL;
  readonly #silence = new Silence(() => this.now, TIMINGS);

  renew(): boolean {
    if (this.#left() === undefined) return false;
    this.renewedAt = this.now;
    this.#until = this.now + this.step + TTL;
    return true;
  }

  /** One look of the reaper; whether it takes the holder for dead. */
  look(): boolean {
    const left = this.#left();
    const leases = new Map<string, Lease>();
    if (left === undefined || left < TTL - overdueMs) leases.set('h', { value: 'v', untilMs: this.#until });
    return this.#silence.note({ nowMs: this.now + this.step, leases }).dead.length > 0;
  }

  /** What Redis would say; what has lapsed does not come back. */
  #left(): number | undefined {
    if (this.#until !== undefined && this.#until <= this.now + this.step) this.#until = undefined;
    return this.#until === undefined ? undefined : this.#until - this.now - this.step;
  }
}

describe('a holder is taken for dead', () => {
  test('not before a live one has stopped itself, whenever Redis’ clock steps and however late the looks are', () => {
    const event = fc.record({
      passMs: fc.oneof(
        fc.integer({ min: 0, max: renewEveryMs }),
        fc.constantFrom(reapEveryMs, renewEveryMs, TTL, 10 * TTL),
      ),
      renews: fc.boolean(),
      // At most one step between two looks.
      stepMs: fc.option(fc.oneof(fc.integer({ min: -2 * TTL, max: 2 * TTL }), fc.constantFrom(-60_000, 60_000)), {
        nil: 0,
        freq: 4,
      }),
      renewsAfterStep: fc.boolean(),
      restMs: fc.integer({ min: 0, max: renewEveryMs }),
    });
    let deaths = 0;
    fc.assert(
      fc.property(fc.array(event, { minLength: 10, maxLength: 60 }), (events) => {
        const world = new World();
        for (const { passMs, renews, stepMs, renewsAfterStep, restMs } of events) {
          world.now += passMs;
          if (renews) world.renew();
          world.step += stepMs;
          if (renewsAfterStep) world.renew();
          world.now += restMs;
          if (!world.look()) continue;
          deaths += 1;
          expect(world.now - world.renewedAt).toBeGreaterThanOrEqual(STOPPED_AFTER);
          return;
        }
      }),
      { numRuns: 3_000 },
    );
    expect(deaths).toBeGreaterThan(100);
  });

  test('within the time of the formula after its death, and after its lease', () => {
    fc.assert(
      fc.property(fc.nat({ max: reapEveryMs }), fc.nat({ max: renewEveryMs }), (phaseMs, aliveMs) => {
        const world = new World();
        world.now = aliveMs;
        expect(world.renew()).toBe(true);
        world.now += phaseMs;
        while (!world.look()) world.now += reapEveryMs;
        expect(world.now - world.renewedAt).toBeGreaterThanOrEqual(TTL);
        // Those who supervise it have that long to end what it left running.
        expect(world.now - world.renewedAt - STOPPED_AFTER).toBeGreaterThanOrEqual(overdueMs);
        expect(world.now - world.renewedAt).toBeLessThanOrEqual(recoveryMs);
      }),
    );
  });

  test('never while it renews late', () => {
    const world = new World();
    for (let renewals = 0; renewals < 20; renewals += 1) {
      for (const end = world.now + TTL - 1; world.now < end; world.now += reapEveryMs) expect(world.look()).toBe(false);
      world.now = world.renewedAt + TTL - 1;
      expect(world.renew()).toBe(true);
    }
  });
});

describe('what is found of one holder', () => {
  let at = 0;
  const gone: Lease = { value: 'v', untilMs: undefined };
  const found = (nowMs: number, lease?: Lease): OverdueLeases => ({
    nowMs,
    leases: new Map(lease === undefined ? [] : [['h', lease]]),
  });

  test('is no news of a lease that only was overdue', () => {
    const silence = new Silence(() => at, TIMINGS);
    silence.note(found(0, { value: 'v', untilMs: 100 }));
    expect(silence.note(found(1))).toEqual({ dead: [], freed: [] });
  });

  test('tells once that somebody has freed it', () => {
    const silence = new Silence(() => at, TIMINGS);
    silence.note(found(0, gone));
    expect(silence.note(found(1)).freed).toEqual(['h']);
    expect(silence.note(found(2)).freed).toEqual([]);
  });

  test('counts from the look that misses a lease which went before it was due', () => {
    at = 0;
    const silence = new Silence(() => at, TIMINGS);
    silence.note(found(0, { value: 'v', untilMs: 2 * marginMs }));
    at = 2 * marginMs - reapEveryMs;
    silence.note(found(at, gone));
    at = STOPPED_AFTER;
    expect(silence.note(found(at, gone)).dead).toEqual([]);
    at += 2 * marginMs;
    expect(silence.note(found(at, gone)).dead).toEqual([['h', 'v']]);
  });

  test('begins anew with another claim of the same name', () => {
    at = 0;
    const silence = new Silence(() => at, TIMINGS);
    silence.note(found(0, gone));
    at = STOPPED_AFTER;
    expect(silence.note(found(at, { ...gone, value: 'w' }))).toEqual({ dead: [], freed: ['h'] });
    at = 2 * STOPPED_AFTER;
    expect(silence.note(found(at, { ...gone, value: 'w' })).dead).toEqual([['h', 'w']]);
  });

  test('is forgotten on demand', () => {
    at = 0;
    const silence = new Silence(() => at, TIMINGS);
    silence.note(found(0, gone));
    silence.forget('h');
    at = STOPPED_AFTER;
    expect(silence.note(found(at, gone)).dead).toEqual([]);
  });
});
