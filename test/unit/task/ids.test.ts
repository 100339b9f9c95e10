import { expect, test } from 'vitest';
import { newIncarnation, newRunnerId, newTaskId, newWorkerId, parseTaskId } from '../../../src/task/ids.ts';
import { defaultMessage } from '../../../src/task/message.ts';
import { refusal } from './support.ts';

test('a task id tells its queue’s incarnation and its number', () => {
  const incarnation = newIncarnation();
  for (const sequence of [0, 1, 35, 36, 123_456, 36 ** 8 - 1]) {
    expect(parseTaskId(newTaskId(sequence, incarnation))).toEqual({ incarnation, sequence });
  }
});

test('task ids sort by submission', () => {
  const incarnation = newIncarnation();
  const ids = Array.from({ length: 3000 }, (_, sequence) => newTaskId(sequence, incarnation));
  expect([...ids].sort()).toEqual(ids);
});

test('a task id fits a queue, a file and a branch: short, lower-case, no colon, no pure number', () => {
  expect(newTaskId(12, newIncarnation())).toMatch(/^t[0-9a-z]{6}-0000000c-[0-9a-z]{6}$/);
});

test.each([
  '',
  't',
  'login-1',
  '17',
  'T000000-00000000-000000',
  't00000u-00000000-000000',
  'tabcdef-0000000g-ABCDEF',
  `${newTaskId(1, newIncarnation())}x`,
])('%j is no task id', (id) => {
  expect(parseTaskId(id)).toBeUndefined();
});

test.each([
  [-1, 'abcdef'],
  [1.5, 'abcdef'],
  [36 ** 8, 'abcdef'],
  [1, 'abc'],
  [1, 'ABCDEF'],
])('number %d of incarnation %s makes no id', (sequence, incarnation) => {
  expect(refusal(() => newTaskId(sequence, incarnation))).toMatchObject({ code: 'INTERNAL' });
});

test('runners and workers have ids that tell them apart and sort by time', () => {
  expect(newRunnerId()).toMatch(/^r-[0-9a-f]{32}$/);
  expect(newWorkerId()).toMatch(/^w-[0-9a-z]{26}$/);
  expect(newRunnerId()).not.toBe(newRunnerId());
});

test('the default commit message names plan, title and task', () => {
  expect(defaultMessage({ title: 'Limit it', spec: 'auth' }, 't1')).toBe('feat(auth): Limit it [Task t1]');
  expect(defaultMessage({ title: 'Limit it' }, 't1')).toBe('feat: Limit it [Task t1]');
});
