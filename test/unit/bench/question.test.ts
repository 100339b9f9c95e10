import { describe, expect, it } from 'vitest';
import { atLeast, atMost } from '../../../scripts/bench/question.ts';

describe('a target', () => {
  it('with an upper bound is met up to it', () => {
    expect(atMost(1.05, 'x', { value: 1.05 })).toEqual({ what: 'x', goal: '≤ 1.05', value: 1.05, unit: '', met: true });
    expect(atMost(1.05, 'x', { value: 1.06 }).met).toBe(false);
  });

  it('with a lower bound is met from it on', () => {
    expect(atLeast(2, 'x', { value: 2, unit: 'ms' })).toMatchObject({ goal: '≥ 2 ms', met: true });
    expect(atLeast(2, 'x', { value: 1.9 }).met).toBe(false);
  });

  it('is missed by what could not be measured', () => {
    expect(atMost(1, 'x', { value: Number.NaN }).met).toBe(false);
    expect(atLeast(1, 'x', { value: Number.NaN }).met).toBe(false);
  });
});
