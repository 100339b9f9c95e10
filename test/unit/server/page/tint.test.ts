import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TINTS, Tints, tintOf } from '../../../../src/server/page/words/tint.ts';

describe('the colour of a branch', () => {
  it('is one of those that there are, and the same every time', () => {
    fc.assert(
      fc.property(fc.string(), (branch) => {
        expect(tintOf(branch)).toBeGreaterThanOrEqual(0);
        expect(tintOf(branch)).toBeLessThan(TINTS);
        expect(tintOf(branch)).toBe(tintOf(branch));
      }),
    );
  });

  it('differs between branches that come up together, however their names fall', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: TINTS - 1, maxLength: 60 }), (branches) => {
        const tints = new Tints();
        const given = branches.map((branch) => tints.of(branch));
        for (let i = 0; i + TINTS - 1 < given.length; i += 1) {
          expect(new Set(given.slice(i, i + TINTS - 1)).size).toBe(TINTS - 1);
        }
      }),
    );
  });

  it('stays when others come', () => {
    const tints = new Tints();
    const first = tints.of('main');
    for (let i = 0; i < 40; i += 1) tints.of(`branch-${i}`);
    expect(tints.of('main')).toBe(first);
  });

  it('is spread over names that differ in a digit', () => {
    const seen = new Set(Array.from({ length: 60 }, (_, i) => tintOf(`task/${i}`)));
    expect(seen.size).toBeGreaterThan(TINTS / 2);
  });
});
