import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tickStep, ticksOf, tickWords } from '../../../../src/server/page/timeline/ticks.ts';
import { endsOf, moved, panned, windowOf, zoomed, zoomedAt } from '../../../../src/server/page/timeline/window.ts';

const NOW = Date.parse('2026-03-09T12:00:00Z');
const MINUTE = 60_000;

describe('the time that is shown', () => {
  it('goes on with now while it is live, and stands still when it was moved', () => {
    const live = { lengthMs: 10 * MINUTE, until: null };
    expect(endsOf(live, NOW).to).toBeGreaterThan(NOW);
    const back = moved(live, -0.5, NOW);
    expect(back.until).toBe(NOW - 5 * MINUTE);
    expect(endsOf(back, NOW + MINUTE)).toEqual(endsOf(back, NOW));
  });

  it('is live again when it is moved into the future', () => {
    expect(moved({ lengthMs: MINUTE, until: NOW - 1_000 }, 0.5, NOW).until).toBeNull();
  });

  it('keeps its middle when it is zoomed', () => {
    const window = { lengthMs: 8 * MINUTE, until: NOW - 20 * MINUTE };
    const middle = (shown: typeof window): number => (endsOf(shown, NOW).from + endsOf(shown, NOW).to) / 2;
    expect(middle(zoomed(window, -1, NOW) as typeof window)).toBe(middle(window));
    expect(zoomed(window, -1, NOW).lengthMs).toBe(4 * MINUTE);
  });
});

describe('a gesture', () => {
  it('keeps the time that is under the pointer when it zooms, within bounds', () => {
    const shares = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(shares, fc.double({ min: 0.05, max: 20, noNaN: true }), (share, factor) => {
        const before = { from: NOW - 10 * MINUTE, to: NOW };
        const after = zoomedAt(before, share, factor);
        const at = ({ from, to }: typeof before): number => from + share * (to - from);
        expect(at(after)).toBeCloseTo(at(before), 0);
        expect(after.to - after.from).toBeGreaterThanOrEqual(10_000);
      }),
    );
  });

  it('pans by the share of the width it went, and is live again at now', () => {
    const ends = panned({ from: NOW - 10 * MINUTE, to: NOW }, -0.5);
    expect(ends).toEqual({ from: NOW - 15 * MINUTE, to: NOW - 5 * MINUTE });
    expect(windowOf(ends, NOW)).toEqual({ lengthMs: 10 * MINUTE, until: NOW - 5 * MINUTE });
    expect(windowOf(panned(ends, 0.5), NOW).until).toBeNull();
  });
});

describe('the marks of the time axis', () => {
  it('are on round times, within the ends, and no more than fit', () => {
    const lengths = fc.integer({ min: 2_000, max: 3 * 24 * 60 * MINUTE });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 2, max: 14 }), fc.constantFrom(0, -330, 240), (length, most, offset) => {
        const from = NOW - length;
        const step = tickStep(length, most);
        const ticks = ticksOf({ from, to: NOW }, most, offset);
        expect(ticks.length).toBeLessThanOrEqual(most + 1);
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(from);
          expect(tick).toBeLessThanOrEqual(NOW);
          expect(Math.abs((tick - offset * MINUTE) % step)).toBe(0);
        }
      }),
    );
  });

  it('say seconds only where they are that near', () => {
    const at = new Date(2026, 2, 9, 14, 3, 9).getTime();
    expect(tickWords(at, 5_000)).toBe('14:03:09');
    expect(tickWords(at, 5 * MINUTE)).toBe('14:03');
  });
});
