import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conflicts, join, MODES, type Mode } from '../../../src/claims/modes.ts';
import { luaExcludes } from '../../support/lua.ts';

const mode = fc.constantFrom(...MODES);

/** Whether holding `a` grants all that `b` grants: nobody who may not stand beside `b` may stand beside `a`. */
function isAtLeast(a: Mode, b: Mode): boolean {
  return MODES.every((other) => !conflicts(b, other) || conflicts(a, other));
}

describe('conflicts', () => {
  test('are symmetric', () => {
    fc.assert(fc.property(mode, mode, (a, b) => conflicts(a, b) === conflicts(b, a)));
  });

  test('are between a writer and everybody', () => {
    for (const other of MODES) expect(conflicts('X', other)).toBe(true);
  });

  test('are not between readers, nor between those who work below', () => {
    expect(conflicts('S', 'S')).toBe(false);
    expect(conflicts('IX', 'IX')).toBe(false);
    expect(conflicts('IS', 'IX')).toBe(false);
    expect(conflicts('S', 'IX')).toBe(true);
  });

  test('are the same in the scripts', () => {
    const table = Object.fromEntries(MODES.map((a) => [a, MODES.filter((b) => conflicts(a, b))]));
    const inLua = Object.entries(luaExcludes()).map(([a, list]) => [a, MODES.filter((b) => list.includes(b))]);
    expect(Object.fromEntries(inLua)).toEqual(table);
  });
});

describe('join', () => {
  test('is the weakest mode that grants both', () => {
    fc.assert(
      fc.property(mode, mode, (a, b) => {
        const both = join(a, b);
        const bounds = MODES.filter((bound) => isAtLeast(bound, a) && isAtLeast(bound, b));
        return bounds.includes(both) && bounds.every((bound) => isAtLeast(bound, both));
      }),
    );
  });

  test('has no order: neither of its modes nor of its calls', () => {
    fc.assert(
      fc.property(mode, mode, mode, (a, b, c) => {
        expect(join(a, b)).toBe(join(b, a));
        expect(join(join(a, b), c)).toBe(join(a, join(b, c)));
        expect(join(a, a)).toBe(a);
      }),
    );
  });
});
