import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SignalboxError } from '../../../src/errors.ts';
import { parseTask, parseTasks } from '../../../src/task/schema.ts';
import { parseEnvelope, serializeTask, storedVersion, wantsOf } from '../../../src/task/stored.ts';
import { refusal, SMALL_TASK } from './support.ts';

const FULL_TASK = {
  title: 'Rate-limit the login',
  repo: 'git@git.example.com:acme/app.git',
  base: 'main',
  branch: 'task/login-rate-limit',
  claims: {
    write: ['src/auth/**', 'package.json'],
    read: ['src/db/schema.ts'],
    resources: ['staging-db'],
    until: 'merged',
    undeclared: 'warn',
  },
  implement: [
    { name: 'install', run: 'npm ci', timeout: '5m', retries: 2 },
    { run: ['claude', '-p', 'Add rate limiting'] },
    { handler: 'rename', input: { from: 'a', to: [1, null] } },
  ],
  test: ['npm test'],
  failFast: false,
  publish: 'patch',
  message: 'feat(auth): rate-limit the login\n\nAs asked.',
  onConflict: 'fail',
  waitTimeout: '2h',
  preemptible: 'anytime',
  timeout: '1.5s',
  stallTimeout: 500,
  attempts: 5,
  priority: 'urgent',
  owner: 'team-a',
  spec: 'auth-hardening',
  dependsOn: ['install-1'],
  checkout: 'claimed',
  include: ['docs/'],
  env: { CI: '1' },
  secrets: ['NPM_TOKEN'],
  idempotencyKey: 'login-1',
};

describe('parseTask', () => {
  test('fills in the defaults', () => {
    expect(parseTask(SMALL_TASK)).toEqual({
      title: 'Do it',
      repo: 'git@git.example.com:acme/app.git',
      claims: { write: [], read: [], resources: [], until: 'published', undeclared: 'claim' },
      implement: [{ name: 'npm ci', command: { kind: 'shell', script: 'npm ci' }, retries: 0 }],
      test: [],
      failFast: true,
      publish: 'push',
      onConflict: 'wait',
      preemptible: 'steps',
      timeoutMs: 30 * 60_000,
      stallTimeoutMs: 10 * 60_000,
      attempts: 3,
      priority: 'normal',
      dependsOn: [],
      checkout: 'full',
      include: [],
      env: {},
      secrets: [],
    });
  });

  test('keeps what is given, with durations in ms and steps in one form', () => {
    expect(parseTask(FULL_TASK)).toMatchObject({
      branch: 'task/login-rate-limit',
      implement: [
        { name: 'install', command: { kind: 'shell', script: 'npm ci' }, timeoutMs: 300_000, retries: 2 },
        { name: 'claude -p Add rate limiting', command: { kind: 'argv', argv: FULL_TASK.implement[1]?.run } },
        { name: 'rename', command: { kind: 'handler', handler: 'rename', input: { from: 'a', to: [1, null] } } },
      ],
      failFast: false,
      waitTimeoutMs: 7_200_000,
      timeoutMs: 1500,
      stallTimeoutMs: 500,
      dependsOn: ['install-1'],
    });
  });

  test('leaves out fields that are undefined', () => {
    expect(Object.keys(parseTask({ ...SMALL_TASK, branch: undefined }))).not.toContain('branch');
  });

  test('accepts `auto` as the tests', () => {
    expect(parseTask({ ...SMALL_TASK, test: 'auto' }).test).toBe('auto');
  });

  test.each([
    ...['wait', 'fail', 'skip', 'proceed', 'supersede', 'preempt'].map((onConflict) => ({ onConflict })),
    ...['push', 'land', 'patch', 'none'].map((publish) => ({ publish })),
    ...['steps', 'anytime', 'never'].map((preemptible) => ({ preemptible })),
  ])('accepts %j', (change) => {
    expect(parseTask({ ...SMALL_TASK, ...change })).toMatchObject(change);
  });

  test.each([
    ...['published', 'merged'].map((until) => ({ until })),
    ...['claim', 'fail', 'warn'].map((undeclared) => ({ undeclared })),
    { resources: ['staging-db', 'gpu.a100', 'team/licence'] },
    { resources: Array.from({ length: 100 }, (_, i) => `r${i}`) },
  ])('accepts claims with %j', (claims) => {
    expect(parseTask({ ...SMALL_TASK, claims }).claims).toMatchObject(claims);
  });

  test('makes the task that it builds upon a dependency, once', () => {
    expect(parseTask({ ...SMALL_TASK, base: 'task:login' })).toMatchObject({
      base: 'task:login',
      dependsOn: ['login'],
    });
    const both = { ...SMALL_TASK, base: 'task:login', dependsOn: ['login', 'install'] };
    expect(parseTask(both).dependsOn).toEqual(['login', 'install']);
    expect(parseTask({ ...SMALL_TASK, base: 'main' }).dependsOn).toEqual([]);
  });

  test('names a long step by the beginning of its command, on one line', () => {
    const [step] = parseTask({ ...SMALL_TASK, implement: [`set -e\n${'echo 🚂; '.repeat(20)}`] }).implement;
    expect(step?.name).toMatch(/^set -e echo 🚂; .*…$/u);
  });

  test('does not share anything with its input', () => {
    const input = structuredClone(FULL_TASK);
    const task = parseTask(input);
    input.claims.write.push('x');
    expect(task.claims.write).toHaveLength(2);
  });
});

/** A stored task with a step whose handler gets this. */
function stepWith(input: unknown, task = parseTask(SMALL_TASK)): string {
  const step = { name: 'a step', command: { kind: 'handler', handler: 'work', input }, retries: 0 };
  return JSON.stringify({ v: 1, task: { ...task, implement: [step] } });
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

describe('the stored form', () => {
  test.each([SMALL_TASK, FULL_TASK])('of a task is read back as the same task', (input) => {
    const task = parseTask(input);
    expect(parseEnvelope(serializeTask(task))).toEqual(task);
    expect(serializeTask(parseEnvelope(serializeTask(task)))).toBe(serializeTask(task));
  });

  test('leaves out empty lists of its own, and none of what a step is given', () => {
    const nothing = { dependsOn: [], env: {}, include: [], secrets: [], test: [], claims: { read: [], write: [] } };
    const handed = { list: [], map: {} };
    const step = { handler: 'work', input: handed };
    const stored = serializeTask(parseTask({ ...SMALL_TASK, ...nothing, implement: [step] }));
    expect(stored).toContain(JSON.stringify(handed));
    expect(stored.match(/\[\]|\{\}/g)).toHaveLength(2);
    expect(parseEnvelope(stored)).toMatchObject({ ...nothing, claims: { ...nothing.claims, resources: [] } });
  });

  test('tells what a task wants without being checked', () => {
    const claims = { write: ['src/**'], read: [], resources: ['db'] };
    const stored = serializeTask(parseTask({ ...SMALL_TASK, claims, onConflict: 'proceed' }));
    expect(wantsOf(stored)).toMatchObject({ claims, onConflict: 'proceed' });
    for (const none of ['', '{', '5', 'null', '{"v":1}', '{"v":1,"task":null}', '{"v":1,"task":{}}'])
      expect(wantsOf(none)).toEqual({ claims: { write: [], read: [], resources: [] }, onConflict: 'wait' });
  });

  test('does not depend on the order of fields', () => {
    const turned = Object.fromEntries(Object.entries(FULL_TASK).toReversed());
    expect(serializeTask(parseTask(turned))).toBe(serializeTask(parseTask(FULL_TASK)));
  });

  const task = parseTask(SMALL_TASK);
  test.each([
    ['bad JSON', '', '{"v":1,'],
    ['no object', '', '5'],
    ['a version that never was', 'v', JSON.stringify({ v: 0, task })],
    ['no version', 'v', JSON.stringify({ task })],
    ['an extra field', 'extra', JSON.stringify({ v: 1, task, extra: 1 })],
    ['an extra field of the task', 'task.extra', JSON.stringify({ v: 1, task: { ...task, extra: 1 } })],
    ['a missing field', 'task.attempts', JSON.stringify({ v: 1, task: { ...task, attempts: undefined } })],
    ['a hostile branch', 'task.branch', JSON.stringify({ v: 1, task: { ...task, branch: '--force' } })],
    ['a hostile repository', 'task.repo', JSON.stringify({ v: 1, task: { ...task, repo: 'ext::id' } })],
    [
      'a hostile path',
      'task.claims.write[0]',
      JSON.stringify({ v: 1, task: { ...task, claims: { write: ['../x'] } } }),
    ],
    ['an unknown value', 'task.publish', JSON.stringify({ v: 1, task: { ...task, publish: 'merge' } })],
    ['a base that names no task', 'task.base', JSON.stringify({ v: 1, task: { ...task, base: 'task:' } })],
    [
      'a resource that is no name',
      'task.claims.resources[0]',
      JSON.stringify({ v: 1, task: { ...task, claims: { ...task.claims, resources: ['a b'] } } }),
    ],
    [
      'resources with one variable',
      'task.claims.resources[1]',
      JSON.stringify({ v: 1, task: { ...task, claims: { ...task.claims, resources: ['a', 'A'] } } }),
    ],
    ['a prototype', 'task.env.__proto__', `{"v":1,"task":{"env":{"__proto__":"x"}}}`],
    ['a NUL in what a handler gets', 'task.implement[0].command.input', stepWith('a\0b')],
    ['what a handler gets being nested without end', expect.stringMatching(/^task\.implement/), stepWith(nested(40))],
    ['a giant', '', ' '.repeat(5_000_000)],
    ['a written step', 'task.implement[0]', JSON.stringify({ v: 1, task: { ...task, implement: ['npm ci'] } })],
  ])('is refused for %s', (_name, field, json) => {
    expect(refusal(() => parseEnvelope(json))).toMatchObject({ code: 'INVALID', field });
  });
});

test('the stored form of a newer version is told from a damaged one', () => {
  const newer = JSON.stringify({ v: 2, task: { unheard: 'of' } });
  expect(storedVersion(newer)).toBe(2);
  expect(refusal(() => parseEnvelope(newer))).toMatchObject({ code: 'UNSUPPORTED' });
  for (const none of ['{', '5', 'null', '{"v":"2"}', '{"v":1.5}', '{"v":1e999}'])
    expect(storedVersion(none)).toBeUndefined();
});

describe('whatever comes in', () => {
  const field = fc.constantFrom(...Object.keys(FULL_TASK));
  const wild = fc.anything({
    withNullPrototype: true,
    withDate: true,
    withMap: true,
    withBigInt: true,
    withSparseArray: true,
  });

  function onlyRefuses(run: () => unknown): void {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(SignalboxError);
      expect(['INVALID', 'UNSUPPORTED']).toContain((error as SignalboxError).code);
    }
  }

  test('parseTask throws nothing but a refusal', () => {
    fc.assert(fc.property(wild, (input) => onlyRefuses(() => parseTasks(input))));
    fc.assert(fc.property(field, wild, (name, value) => onlyRefuses(() => parseTask({ ...FULL_TASK, [name]: value }))));
  });

  test('parseEnvelope throws nothing but a refusal', () => {
    const task = parseTask(FULL_TASK);
    const names = fc.constantFrom(...Object.keys(task));
    fc.assert(fc.property(fc.string(), (json) => onlyRefuses(() => parseEnvelope(json))));
    fc.assert(
      fc.property(names, fc.jsonValue(), (name, value) =>
        onlyRefuses(() => parseEnvelope(JSON.stringify({ v: 1, task: { ...task, [name]: value } }))),
      ),
    );
  });

  // So many tasks take long to read on a busy machine.
  test('a task that is accepted is accepted in its stored form, and unchanged', { timeout: 60_000 }, () => {
    const words = fc.string({ unit: 'binary', maxLength: 30 });
    const step = fc.oneof(words, fc.array(words), fc.record({ run: words, name: words }, { requiredKeys: ['run'] }));
    const task = fc.record({ title: words, implement: fc.array(step, { minLength: 1, maxLength: 3 }), message: words });
    let accepted = 0;
    fc.assert(
      fc.property(task, (change) => {
        let read: ReturnType<typeof parseTask>;
        try {
          read = parseTask({ ...SMALL_TASK, ...change });
        } catch {
          return;
        }
        accepted += 1;
        expect(parseEnvelope(serializeTask(read))).toEqual(read);
      }),
      { numRuns: 250 },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});
