import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderByDependencies } from '../../../src/task/dependencies.ts';
import { newIncarnation, newTaskId } from '../../../src/task/ids.ts';
import { parseTasks } from '../../../src/task/schema.ts';
import { refusal, SMALL_TASK } from './support.ts';

/** Tasks with the keys `k0`, `k1`, … and the given dependencies. */
const list = (...dependsOn: string[][]) =>
  parseTasks(dependsOn.map((names, index) => ({ ...SMALL_TASK, idempotencyKey: `k${index}`, dependsOn: names })));

describe('a list of tasks', () => {
  test('is ordered so that each comes after what it depends on', () => {
    expect(orderByDependencies(list(['k2'], [], ['k1']))).toEqual([1, 2, 0]);
    expect(orderByDependencies(list([], [], []))).toEqual([0, 1, 2]);
  });

  test('may depend on tasks that are already in the queue', () => {
    expect(orderByDependencies(list([newTaskId(1, newIncarnation())]))).toEqual([0]);
  });

  test.each([
    ['an unknown key', list([], ['k0', 'k7']), '[1].dependsOn[1]'],
    ['a task that needs itself', list([], ['k1']), '[1].dependsOn[0]'],
    ['a cycle', list([], ['k0', 'k2'], ['k1']), '[2].dependsOn[0]'],
    ['a cycle that another task leads into', list(['k1'], ['k2'], ['k1']), '[2].dependsOn[0]'],
  ])('is refused for %s', (_name, tasks, field) => {
    expect(refusal(() => orderByDependencies(tasks))).toMatchObject({ code: 'INVALID', field });
  });

  describe('that build upon each other', () => {
    /** Tasks with the keys `k0`, `k1`, … that start from the given ones. */
    const stack = (...bases: string[]) =>
      parseTasks(bases.map((name, index) => ({ ...SMALL_TASK, idempotencyKey: `k${index}`, base: `task:${name}` })));

    test('are ordered so that each comes after the one below it', () => {
      const below = newTaskId(1, newIncarnation());
      expect(orderByDependencies(stack('k2', below, 'k1'))).toEqual([1, 2, 0]);
    });

    test.each([
      ['an unknown key', stack('k1', 'k7'), '[1].base'],
      ['a task that starts from itself', stack('k0'), '[0].base'],
      ['a cycle', stack('k1', 'k0'), '[1].base'],
    ])('are refused for %s', (_name, tasks, field) => {
      expect(refusal(() => orderByDependencies(tasks))).toMatchObject({ code: 'INVALID', field });
    });

    test('are refused for a cycle that goes through `dependsOn` as well', () => {
      const tasks = parseTasks([
        { ...SMALL_TASK, idempotencyKey: 'a', base: 'task:b' },
        { ...SMALL_TASK, idempotencyKey: 'b', dependsOn: ['a'] },
      ]);
      const error = refusal(() => orderByDependencies(tasks));
      expect(error).toMatchObject({ code: 'INVALID', field: '[1].dependsOn[0]' });
      expect(error.message).toContain('"a" needs "b" needs "a"');
    });
  });

  test('is refused for a key that comes twice', () => {
    const tasks = parseTasks([1, 2].map(() => ({ ...SMALL_TASK, idempotencyKey: 'k' })));
    expect(refusal(() => orderByDependencies(tasks))).toMatchObject({ field: '[1].idempotencyKey' });
  });

  test('says which key was probably meant, and names the whole cycle', () => {
    const tasks = parseTasks([
      { ...SMALL_TASK, idempotencyKey: 'login' },
      { ...SMALL_TASK, dependsOn: ['lgoin'] },
    ]);
    expect(refusal(() => orderByDependencies(tasks)).message).toContain('did you mean "login"?');
    expect(refusal(() => orderByDependencies(list(['k1'], ['k0']))).message).toContain('"k0" needs "k1" needs "k0"');
  });

  test('whatever the dependencies, is ordered rightly or refused for a cycle', () => {
    const names = fc.array(
      fc.nat({ max: 5 }).map((index) => `k${index}`),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(fc.array(names, { minLength: 6, maxLength: 6 }), (dependsOn) => {
        const tasks = list(...dependsOn);
        let order: number[];
        try {
          order = orderByDependencies(tasks);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID', message: expect.stringContaining('cycle') as string });
          return;
        }
        expect(new Set(order)).toEqual(new Set([0, 1, 2, 3, 4, 5]));
        for (const [index, keys] of dependsOn.entries()) {
          for (const key of keys) expect(order.indexOf(Number(key.slice(1)))).toBeLessThan(order.indexOf(index));
        }
      }),
    );
  });
});
