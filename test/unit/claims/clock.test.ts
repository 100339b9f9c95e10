import os from 'node:os';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { leaseClock } from '../../../src/claims/clock.ts';

let monotonicMs = 5_000;
let bootMs = 90_000;

beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => monotonicMs);
  vi.spyOn(os, 'uptime').mockImplementation(() => bootMs / 1_000);
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('the clock of leases follows the monotonic clock', () => {
  const clock = leaseClock();
  const start = clock();
  monotonicMs += 700;
  bootMs += 700;
  expect(clock() - start).toBe(700);
});

test('it has gone on after a suspend, in which the monotonic clock stood still', () => {
  const clock = leaseClock();
  const start = clock();
  bootMs += 60_000;
  // The time since boot is looked at again when some awake time has passed.
  monotonicMs += 20;
  expect(clock() - start).toBeGreaterThanOrEqual(59_000);
});

test('it is not ahead because the time since boot is coarse', () => {
  bootMs = 90_999;
  const clock = leaseClock();
  const start = clock();
  monotonicMs += 1;
  bootMs = 91_999;
  expect(clock() - start).toBe(1);
});

test('a step of the wall clock does not move it', () => {
  const clock = leaseClock();
  const start = clock();
  vi.spyOn(Date, 'now').mockReturnValue(0);
  expect(clock()).toBe(start);
});
