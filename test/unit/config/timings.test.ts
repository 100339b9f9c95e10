import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timings } from '../../../src/config/timings.ts';

test('follow from the lease’s TTL', () => {
  expect(timings(10_000)).toEqual({
    leaseTtlMs: 10_000,
    renewEveryMs: 3333,
    marginMs: 2000,
    answerMs: 2000,
    lockDurationMs: 10_000,
    stalledIntervalMs: 5000,
    overdueMs: 6000,
    reapEveryMs: 1000,
    sharedLookMs: 500,
    recoveryMs: 16_500,
  });
  expect(timings(2000).recoveryMs).toBe(3300);
});

test('give a supervisor the margin to answer, and with a short lease what a busy machine needs, not more', () => {
  expect(timings(60_000).answerMs).toBe(12_000);
  expect(timings(2000)).toMatchObject({ marginMs: 400, answerMs: 1000 });
  expect(timings(500)).toMatchObject({ marginMs: 100, answerMs: 250 });
});

test('leave a holder two renewals before it must stop, and the reaper waits until then', () => {
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 600_000 }), (leaseTtlMs) => {
      const all = timings(leaseTtlMs);
      expect(2 * all.renewEveryMs).toBeLessThanOrEqual(leaseTtlMs - all.marginMs);
      expect(all.recoveryMs).toBeLessThanOrEqual(1.65 * leaseTtlMs + 1);
      expect(all.recoveryMs).toBeGreaterThanOrEqual(all.lockDurationMs + all.stalledIntervalMs);
      // From a holder's deadline to the freeing of what it held, its steps must be found dead.
      expect(all.answerMs).toBeLessThan(all.overdueMs);
      // A holder that was late once is not watched yet, and one that is freed has no lease.
      expect(all.overdueMs).toBeGreaterThan(all.renewEveryMs);
      expect(all.overdueMs + leaseTtlMs - all.marginMs).toBeGreaterThan(leaseTtlMs);
      for (const value of Object.values(all)) expect(Number.isInteger(value) && value > 0).toBe(true);
    }),
  );
});
