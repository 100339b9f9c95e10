import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnsOf, fit } from '../../../../src/cli/view/columns.ts';
import { type TaskLine, taskLines } from '../../../../src/cli/view/task-line.ts';
import { STATES } from '../../../../src/task/states.ts';

const plain = (_style: string, text: string): string => text;
const colored = (_style: string, text: string): string => `\u001b[31m${text}\u001b[39m`;

function line(more: Partial<TaskLine> = {}): TaskLine {
  return {
    ...{ id: 't1-00000001-abcdef', title: 'Rate-limit the login', branch: 'task/login', state: 'running', code: null },
    ...{ phase: 'implement', elapsedMs: 30_000, remainingMs: 90_000, waitsFor: undefined },
    ...more,
  };
}

const WAITS = { resource: 'path:src', holder: 'Another task' };

describe('the lines', () => {
  test('of one that runs have title, branch, phase, a bar and how long it takes', () => {
    const [text] = taskLines([line()], { width: 100, height: 5, paint: plain });
    expect(text).toMatch(/^implement {2}30s {6}Rate-limit the login +task\/login +━━────── {2}~1m 30s left$/);
  });

  test('of one that waits say for what and whom', () => {
    const [text] = taskLines([line({ state: 'blocked', waitsFor: WAITS })], { width: 100, height: 5, paint: plain });
    expect(text).toMatch(/^blocked .*Rate-limit the login.* waits for path:src, held by Another task$/);
  });

  test('have no bar to believe in where nobody knows how long it takes', () => {
    const [text] = taskLines([line({ remainingMs: undefined })], { width: 100, height: 5, paint: plain });
    expect(text).toContain('········');
    expect(text).not.toContain('left');
  });

  test('begin with those that run, and leave room for those that wait', () => {
    const runs = Array.from({ length: 50 }, (_, i) => line({ id: `r${i}` }));
    const waits = Array.from({ length: 150 }, (_, i) => line({ id: `b${i}`, state: 'blocked', waitsFor: WAITS }));
    const text = taskLines([...waits, ...runs], { width: 80, height: 20, paint: plain });
    expect(text).toHaveLength(20);
    expect(text.filter((one) => one.startsWith('implement'))).toHaveLength(13);
    expect(text.filter((one) => one.startsWith('blocked'))).toHaveLength(6);
    expect(text.at(-1)).toBe('… and 37 running, 144 blocked');
  });

  test('never take more room than there is, whatever they hold', () => {
    const anyLine = fc.record({
      id: fc.string({ unit: 'grapheme' }),
      title: fc.string({ unit: 'grapheme' }),
      branch: fc.string(),
      state: fc.constantFrom(...STATES, 'holds' as const),
      code: fc.constant(null),
      phase: fc.option(fc.constantFrom('prepare', 'implement', 'publish')),
      elapsedMs: fc.nat(),
      remainingMs: fc.option(fc.nat(), { nil: undefined }),
      waitsFor: fc.option(fc.record({ resource: fc.string(), holder: fc.string() }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(anyLine), fc.integer({ min: 24, max: 200 }), fc.nat({ max: 40 }), (tasks, width, height) => {
        for (const paint of [plain, colored]) {
          const text = taskLines(tasks, { width, height, paint });
          expect(text.length).toBeLessThanOrEqual(height);
          for (const one of text) {
            expect(columnsOf(one)).toBeLessThanOrEqual(width);
            expect(one).not.toMatch(/[\n\r\t]/);
          }
        }
      }),
    );
  });
});

test.each([
  ['plain', 8, 'plain   '],
  ['too long for it', 8, 'too lon…'],
  ['更新文档', 6, '更新… '],
  ['a\nb\tc', 6, 'a b c '],
  ['x', 0, ''],
  ['🚀🚀', 4, '🚀🚀'],
])('%j in %i columns is %j', (text, columns, expected) => {
  expect(fit(text, columns)).toBe(expected);
  expect(columnsOf(fit(text, columns))).toBe(columns);
});
