/** The library from a program's point of view, with a worker in the same process. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createEvents,
  createWorker,
  type Handler,
  type Options,
  Signalbox,
  type TaskInput,
  type Worker,
} from '../../../src/index.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

const repo = 'https://git.example.com/acme/app';
let options: Options;
let signalbox: Signalbox;
const workers: Worker[] = [];

beforeEach(async () => {
  options = { redisUrl: testRedisUrl(), queue: freshQueueName(), leaseTtl: '5s' };
  signalbox = await Signalbox.connect(options);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map(async (worker) => await worker.stop({ drainMs: 0 })));
  await signalbox.close();
});

async function work(handlers: Record<string, Handler>): Promise<void> {
  workers.push(await createWorker({ ...options, handlers, events: createEvents() }));
}

/** A handler that runs until the test lets it go. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const entered: string[] = [];
  const handler: Handler = async (task, { signal }) => {
    entered.push(task.title);
    await Promise.race([opened, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
  };
  return { handler, open: () => open(), entered };
}

const task = (title: string, more: Partial<TaskInput> = {}): TaskInput => ({
  title,
  repo,
  implement: [{ handler: 'work' }],
  ...more,
});

async function submitOne(input: TaskInput): Promise<string> {
  const [accepted] = await signalbox.submit(input);
  return accepted?.id ?? '';
}

describe('submit', () => {
  test('queues all tasks of a list or none, and names the bad one', async () => {
    const bad = signalbox.submit([task('good'), task('bad', { branch: '-x' })]);
    await expect(bad).rejects.toMatchObject({ code: 'INVALID', field: '[1].branch' });
    expect(await signalbox.list()).toEqual([]);
  });

  test('an idempotency key makes one task, and refuses another body by name', async () => {
    const input = task('once', { idempotencyKey: 'k-1' });
    const [first] = await signalbox.submit(input);
    const [again] = await signalbox.submit(input);
    expect(again).toEqual({ id: first?.id, state: 'queued', duplicate: true });
    const other = signalbox.submit([task('x'), { ...input, title: 'another' }]);
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY', field: '[1].idempotencyKey' });
    expect(await signalbox.list()).toHaveLength(1);
  });

  test('answers in the given order, also when dependencies turn it round', async () => {
    const accepted = await signalbox.submit([
      task('last', { dependsOn: ['a'] }),
      task('first', { idempotencyKey: 'a' }),
    ]);
    const titles = await Promise.all(accepted.map(async ({ id }) => (await signalbox.get(id)).title));
    expect(titles).toEqual(['last', 'first']);
    expect(accepted.map(({ state }) => state)).toEqual(['scheduled', 'queued']);
  });

  test('refuses to depend on a task that does not exist', async () => {
    const bad = signalbox.submit([task('a'), task('b', { dependsOn: ['taaaaaa-00000001-aaaaaa'] })]);
    await expect(bad).rejects.toMatchObject({ code: 'INVALID', field: '[1].dependsOn[0]' });
    expect(await signalbox.list()).toEqual([]);
  });

  test('names `base` for a task to start from that does not exist', async () => {
    const stacked = signalbox.submit(task('b', { base: 'task:taaaaaa-00000001-aaaaaa' }));
    await expect(stacked).rejects.toMatchObject({ code: 'INVALID', field: 'base' });
    const unknown = signalbox.submit([task('a', { idempotencyKey: 'login' }), task('b', { base: 'task:lgoin' })]);
    await expect(unknown).rejects.toMatchObject({ code: 'INVALID', field: '[1].base' });
    expect(await signalbox.list()).toEqual([]);
  });

  test('makes a base of the list an id, of the very task that has the key, and so does a retry', async () => {
    const below = task('below', { idempotencyKey: 'below' });
    const id = await submitOne(below);
    const list = await signalbox.submit([below, task('on top', { base: 'task:below' })]);
    expect(list[0]).toMatchObject({ id, duplicate: true });
    const onTop = list[1]?.id ?? '';
    expect(await signalbox.get(onTop)).toMatchObject({ base: `task:${id}`, state: 'scheduled' });
    await signalbox.cancel(onTop);
    const again = await signalbox.retry(onTop);
    expect(await signalbox.get(again.id)).toMatchObject({ base: `task:${id}`, retryOf: onTop });
  });
});

describe('a task', () => {
  test('waits for those it depends on, and is skipped with its own dependents when one fails', async () => {
    const started: string[] = [];
    await work({ work: ({ title }) => void started.push(title), fail: () => Promise.reject(new Error('no')) });
    const list = await signalbox.submit([
      task('b', { dependsOn: ['a'] }),
      task('a', { idempotencyKey: 'a' }),
      task('bad', { idempotencyKey: 'bad', implement: [{ handler: 'fail' }], attempts: 1 }),
      task('after bad', { idempotencyKey: 'after', dependsOn: ['bad'] }),
      task('after that', { dependsOn: ['after'] }),
    ]);
    const ends = await Promise.all(list.map(async ({ id }) => await signalbox.waitFor(id)));
    expect(started).toEqual(['a', 'b']);
    expect(ends.map(({ state, code }) => [state, code])).toEqual([
      ['succeeded', null],
      ['succeeded', null],
      ['failed', 'implement_failed'],
      ['skipped', 'dependency_failed'],
      ['skipped', 'dependency_failed'],
    ]);
    expect(ends[3]?.history.at(-1)?.reason).toContain(list[2]?.id);
  });

  test('is explained with its true holder and its place in line', async () => {
    const { handler, open, entered } = gate();
    await work({ work: handler });
    const holder = await submitOne(task('holder', { claims: { write: ['src/auth/**'] } }));
    await expect.poll(() => entered).toEqual(['holder']);
    const first = await submitOne(task('first', { claims: { write: ['src/auth/login.ts'] } }));
    const second = await submitOne(task('second', { claims: { read: ['src/auth'] } }));
    await expect.poll(async () => (await signalbox.status()).blocked).toBe(2);
    const explained = await signalbox.explain(second);
    expect(explained).toMatchObject({ state: 'blocked', position: 2, ahead: [first], estimatedStartAt: null });
    expect(explained.blockedBy).toEqual([
      {
        resource: 'path:src/auth',
        mode: 'write',
        holder: expect.objectContaining({ kind: 'run', taskId: holder }) as unknown,
      },
    ]);
    const claims = await signalbox.claims();
    expect(claims.waiting.map(({ taskId, resource, position }) => [taskId, resource, position])).toEqual([
      [first, 'path:src/auth', 1],
      [second, 'path:src/auth', 2],
    ]);
    open();
    for (const id of [holder, first, second]) expect((await signalbox.waitFor(id)).state).toBe('succeeded');
    expect((await signalbox.claims()).held).toEqual([]);
  });

  test('with policy fail fails by conflict and says what was held', async () => {
    const { handler, open, entered } = gate();
    await work({ work: handler });
    const holder = await submitOne(task('holder', { claims: { write: ['a'] } }));
    await expect.poll(() => entered.length).toBe(1);
    const refused = await signalbox.waitFor(
      await submitOne(task('impatient', { claims: { write: ['a'] }, onConflict: 'fail' })),
    );
    expect(refused).toMatchObject({ state: 'failed', code: 'conflict', startedAt: null });
    expect(refused.conflicts).toMatchObject([{ resource: 'path:a', holderTaskId: holder }]);
    open();
  });

  test('that has waited longer than it wants to fails by wait_timeout', async () => {
    const { handler, open, entered } = gate();
    await work({ work: handler });
    await submitOne(task('holder', { claims: { write: ['a'] } }));
    await expect.poll(() => entered.length).toBe(1);
    const id = await submitOne(task('patient', { claims: { write: ['a'] }, waitTimeout: '300ms' }));
    expect(await signalbox.waitFor(id)).toMatchObject({ state: 'failed', code: 'wait_timeout' });
    expect((await signalbox.claims()).waiting).toEqual([]);
    open();
  });

  test('is cancelled while it waits and while it runs, and what it had goes on to others', async () => {
    const { handler, entered } = gate();
    await work({ work: handler, quick: () => {} });
    const running = await submitOne(task('running', { claims: { write: ['a'] } }));
    await expect.poll(() => entered.length).toBe(1);
    const blocked = await submitOne(task('blocked', { claims: { write: ['a'] } }));
    const next = await submitOne(task('next', { claims: { write: ['a'] }, implement: [{ handler: 'quick' }] }));
    await expect.poll(async () => (await signalbox.status()).blocked).toBe(2);
    expect(await signalbox.cancel(blocked)).toBe('cancelled');
    expect(await signalbox.cancel(running)).toBe('requested');
    expect((await signalbox.waitFor(running)).state).toBe('cancelled');
    expect((await signalbox.waitFor(next)).state).toBe('succeeded');
    expect(await signalbox.get(blocked)).toMatchObject({ state: 'cancelled', startedAt: null });
    await expect(signalbox.cancel(running)).rejects.toMatchObject({ code: 'STATE' });
  });

  test('can be retried once it has ended, as a new task that names the old one', async () => {
    let fail = true;
    await work({ work: () => (fail ? Promise.reject(new Error('not yet')) : undefined) });
    const id = await submitOne(task('flaky', { attempts: 1, idempotencyKey: 'k' }));
    expect((await signalbox.waitFor(id)).code).toBe('implement_failed');
    fail = false;
    const again = await signalbox.retry(id);
    expect(await signalbox.waitFor(again.id)).toMatchObject({ state: 'succeeded', retryOf: id });
    expect((await signalbox.get(id)).state).toBe('failed');
  });

  test('that Redis never had is not found, and one that it has lost is said to be lost', async () => {
    await expect(signalbox.get('nonsense')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(signalbox.get('taaaaaa-00000001-aaaaaa')).rejects.toMatchObject({ code: 'TASK_LOST' });
  });
});

describe('the queue', () => {
  test('never runs more than the cap, and takes a new cap at once', async () => {
    const { handler, open, entered } = gate();
    await signalbox.setLimit('max_parallel_runners', 2);
    await work({ work: handler });
    await work({ work: handler });
    const ids = (await signalbox.submit(Array.from({ length: 5 }, (_, i) => task(`t${i}`)))).map(({ id }) => id);
    await expect.poll(() => entered.length).toBe(2);
    expect(await signalbox.status()).toMatchObject({ maxParallelRunners: 2, running: 2, queued: 3 });
    await signalbox.setLimit('max_parallel_runners', 4);
    await expect.poll(() => entered.length).toBe(4);
    expect((await signalbox.status()).running).toBe(4);
    open();
    for (const id of ids) expect((await signalbox.waitFor(id)).state).toBe('succeeded');
    await expect(signalbox.setLimit('max_parallel_runners', 0)).rejects.toMatchObject({
      code: 'INVALID',
      field: 'max_parallel_runners',
    });
  });

  test('starts by priority, then by age', async () => {
    const started: string[] = [];
    await signalbox.setLimit('max_parallel_runners', 1);
    await signalbox.submit([
      task('n1'),
      task('l', { priority: 'low' }),
      task('u', { priority: 'urgent' }),
      task('n2'),
      task('h', { priority: 'high' }),
    ]);
    await work({ work: ({ title }) => void started.push(title) });
    await expect.poll(() => started).toEqual(['u', 'h', 'n1', 'n2', 'l']);
  });

  test('tells changes of state as they happen', async () => {
    await work({ work: () => {} });
    const events = await signalbox.events();
    await signalbox.waitFor(await submitOne(task('watched')));
    expect((await events.next()).value).toMatchObject({ state: 'queued', code: null });
    expect((await events.next()).value).toMatchObject({ state: 'running' });
    expect((await events.next()).value).toMatchObject({ state: 'succeeded' });
    await events.return();
  });

  test('keeps a bounded history of finished tasks', async () => {
    await signalbox.close();
    options = { ...options, historyLimit: 3 };
    signalbox = await Signalbox.connect(options);
    await work({ work: () => {} });
    const list = await signalbox.submit(Array.from({ length: 6 }, (_, i) => task(`t${i}`)));
    await expect.poll(async () => (await signalbox.status()).queued + (await signalbox.status()).running).toBe(0);
    expect(await signalbox.list()).toHaveLength(3);
    await expect(signalbox.get(list[0]?.id ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
