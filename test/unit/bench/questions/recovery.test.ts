import { describe, expect, it } from 'vitest';
import { idleShare } from '../../../../scripts/bench/questions/recovery.ts';

describe('the share of slots that stood idle', () => {
  it('counts each from the kill to the next start, over all six from the first kill to the last start', () => {
    const cutOff = [{ id: 'a', atMs: 0 }];
    expect(
      idleShare(cutOff, [
        { id: 'a', atMs: -50 },
        { id: 'a', atMs: 10 },
      ]),
    ).toBeCloseTo(1 / 6);
    const both = [...cutOff, { id: 'b', atMs: 5 }];
    // Idle for 10 and for 15 of 6 × 20.
    expect(
      idleShare(both, [
        { id: 'a', atMs: 10 },
        { id: 'b', atMs: 20 },
      ]),
    ).toBeCloseTo(25 / 120);
  });
});
