import { describe, expect, it } from 'vitest';
import { deadlineIn, hasPassed, now } from '../../../../src/runner/supervisor/clock.ts';

const start = { monotonicMs: 1_000, bootMs: 500_000 };

describe('a deadline', () => {
  it('passes when the monotonic clock reaches it', () => {
    const deadline = deadlineIn(100, start);
    expect(hasPassed(deadline, { monotonicMs: 1_099, bootMs: 500_099 })).toBe(false);
    expect(hasPassed(deadline, { monotonicMs: 1_100, bootMs: 500_000 })).toBe(true);
  });

  it('passes while the machine sleeps, when only the time since boot goes on', () => {
    // A second later than asked: the time since boot may be counted in whole seconds.
    expect(hasPassed(deadlineIn(100, start), { monotonicMs: 1_001, bootMs: 500_999 })).toBe(false);
    expect(hasPassed(deadlineIn(100, start), { monotonicMs: 1_001, bootMs: 501_100 })).toBe(true);
  });

  it('means the same in every process of the host: both clocks count from boot, not from the start of a process', () => {
    const { monotonicMs, bootMs } = now();
    expect(monotonicMs).toBeGreaterThan(performance.now());
    expect(bootMs).toBeGreaterThan(performance.now());
  });
});
