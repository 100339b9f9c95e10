import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EXPLANATIONS, explanationOf } from '../../../src/task/outcomes.ts';
import {
  canMove,
  codesOf,
  isTerminal,
  STATES,
  type TaskState,
  TERMINAL_STATES,
  TRANSITIONS,
} from '../../../src/task/states.ts';

describe('the table of transitions', () => {
  test('lets nothing leave a terminal state', () => {
    for (const from of TERMINAL_STATES) for (const to of STATES) expect(canMove(from, to)).toBe(false);
    expect(STATES.filter(isTerminal)).toEqual([...TERMINAL_STATES]);
  });

  test('lets only a run succeed', () => {
    expect(STATES.filter((state) => canMove(state, 'succeeded'))).toEqual(['running']);
  });

  test('lets a running task go back: for a retry, after a drain or a crash, when it gave up', () => {
    expect(['queued', 'scheduled', 'blocked'].every((to) => canMove('running', to as TaskState))).toBe(true);
  });

  test('lets every waiting task be cancelled, skipped and failed', () => {
    for (const from of ['queued', 'scheduled', 'blocked'] as const) {
      for (const to of ['cancelled', 'skipped', 'failed', 'running'] as const) expect(canMove(from, to)).toBe(true);
    }
  });

  test('knows no step that stays', () => {
    for (const state of STATES) expect(TRANSITIONS[state]).not.toContain(state);
  });

  test('leads from everywhere to an end', () => {
    fc.assert(
      fc.property(fc.constantFrom(...STATES), fc.array(fc.nat(), { maxLength: 50 }), (start, choices) => {
        const last = choices.reduce<TaskState>(
          (at, choice) => TRANSITIONS[at][choice % TRANSITIONS[at].length] ?? at,
          start,
        );
        expect(isTerminal(last) || TERMINAL_STATES.some((end) => canMove(last, end))).toBe(true);
      }),
    );
  });
});

test('every code of every ended state is explained, with what to do next', () => {
  for (const state of ['failed', 'cancelled', 'skipped'] as const) {
    expect(Object.keys(EXPLANATIONS[state])).toEqual([...codesOf(state)]);
    for (const { summary, next } of Object.values(EXPLANATIONS[state])) {
      expect(summary).toMatch(/^[A-Z].*\.$/);
      expect(next).toMatch(/^[A-Z].*\.$/);
    }
  }
  expect(codesOf('succeeded')).toEqual([]);
  expect(explanationOf({ state: 'succeeded', code: null }).summary).toBe('The task succeeded.');
  expect(explanationOf({ state: 'skipped', code: 'conflict' })).toBe(EXPLANATIONS.skipped.conflict);
});
