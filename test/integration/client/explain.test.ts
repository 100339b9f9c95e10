/** `explain`, `estimate` and `hot` on a real queue, with a worker in the same process. */

import { setTimeout as pause } from 'node:timers/promises';
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
import { claimsMeet } from '../../support/system/claims-meet.ts';
import { Random } from '../../support/system/random.ts';

const repo = 'https://git.example.com/acme/app';
let options: Options;
let signalbox: Signalbox;
let worker: Worker | undefined;
/** Tasks that run until they are let go, by title. */
const running = new Map<string, () => void>();

beforeEach(async () => {
  options = { redisUrl: testRedisUrl(), queue: freshQueueName(), leaseTtl: '5s', concurrency: 8 };
  signalbox = await Signalbox.connect(options);
  running.clear();
});
afterEach(async () => {
  await worker?.stop({ drainMs: 0 });
  worker = undefined;
  await signalbox.close();
});

const held: Handler = async ({ title }, { signal }) => {
  await new Promise<void>((resolve) => {
    running.set(title, resolve);
    signal.addEventListener('abort', () => resolve());
  });
  running.delete(title);
};
const quick: Handler = async () => await pause(50);

async function work(more: Partial<Options> = {}): Promise<void> {
  worker = await createWorker({ ...options, ...more, handlers: { held, quick }, events: createEvents() });
}

const task = (title: string, more: Partial<TaskInput> = {}): TaskInput => ({
  title,
  repo,
  implement: [{ handler: 'held' }],
  ...more,
});

async function submitOne(input: TaskInput): Promise<string> {
  const [accepted] = await signalbox.submit(input);
  return accepted?.id ?? '';
}

const letGo = (title: string): void => running.get(title)?.();

async function blocked(count: number): Promise<void> {
  await expect.poll(async () => (await signalbox.status()).blocked, { timeout: 20_000 }).toBe(count);
}

describe('of 50 blocked tasks in a random mix', () => {
  const PATHS = ['src/a/x.ts', 'src/a/**', 'src/b', 'src/b/y.ts', 'docs', 'docs/one.md', 'test/**', 'test/unit/z.ts'];
  const HOLDERS = [
    { write: ['src/a/x.ts'] },
    { write: ['src/b/**'] },
    { read: ['docs'] },
    { read: ['docs/one.md'], write: ['test/unit'] },
    { write: ['lib'], branch: 'shared' },
  ].map(({ branch, ...claims }, i) => task(`holder ${i}`, { claims, ...(branch === undefined ? {} : { branch }) }));

  /** A task that some holder is in the way of. */
  function draw(random: Random, i: number): TaskInput {
    for (;;) {
      const paths = random.some(PATHS, 1 + random.below(3));
      const writes = random.below(paths.length + 1);
      const input = task(`blocked ${i}`, {
        claims: { write: paths.slice(0, writes), read: paths.slice(writes) },
        owner: `owner-${random.below(3)}`,
        ...(random.below(6) === 0 ? { branch: 'shared' } : {}),
      });
      if (HOLDERS.some((holder) => claimsMeet(holder, input))) return input;
    }
  }

  test('each names exactly the tasks that hold what it claims, and the same again as these end', async () => {
    const random = new Random(7);
    await work();
    const inputs = new Map<string, TaskInput>();
    const submit = async (input: TaskInput): Promise<void> => void inputs.set(await submitOne(input), input);
    for (const holder of HOLDERS) await submit(holder);
    await expect.poll(() => running.size, { timeout: 10_000 }).toBe(HOLDERS.length);
    for (let i = 0; i < 50; i += 1) await submit(draw(random, i));
    await blocked(50);

    let checked = 0;
    for (let round = 0; round < 3; round += 1) {
      const { held: claims, waiting } = await signalbox.claims();
      expect(new Set(claims.map(({ taskId }) => taskId)).size).toBe(running.size);
      for (const { taskId, position, resource } of waiting) {
        const mine = inputs.get(taskId);
        const { state, blockedBy, chain, ...told } = await signalbox.explain(taskId);
        const truth = [...inputs].filter(([, other]) => running.has(other.title) && claimsMeet(other, mine));
        expect({ state, position: told.position }).toEqual({ state: 'blocked', position });
        expect(told.ahead).toHaveLength(position - 1);
        expect(new Set(blockedBy.map(({ holder }) => holder.taskId))).toEqual(new Set(truth.map(([id]) => id)));
        for (const { holder, resource: what, mode } of blockedBy) {
          expect(holder.kind).toBe('run');
          expect(claims).toContainEqual(
            expect.objectContaining({ taskId: holder.taskId, runnerId: holder.runnerId, resource: what, mode }),
          );
        }
        expect(chain[0]).toMatchObject({ taskId, holderTaskId: blockedBy[0]?.holder.taskId });
        expect(told.summary).toContain(blockedBy[0]?.holder.taskId ?? resource);
        checked += 1;
      }
      // One holder ends; who can start now starts, and is a holder in the next round.
      letGo([...running.keys()][0] ?? '');
      await expect
        .poll(async () => {
          const { held: now } = await signalbox.claims();
          const runs = new Set(now.map(({ taskId }) => inputs.get(taskId ?? '')?.title));
          const { queued, running: count } = await signalbox.status();
          return queued === 0 && count === runs.size && [...runs].every((title) => running.has(title ?? ''));
        })
        .toBe(true);
    }
    expect(checked).toBeGreaterThan(100);
  }, 60_000);
});

describe('explain', () => {
  test('tells a task that it was passed over, and who it waits for in turn', async () => {
    await work();
    const holder = await submitOne(task('holder', { claims: { write: ['a'] } }));
    await expect.poll(() => running.size).toBe(1);
    const other = await submitOne(task('other', { claims: { write: ['b'] } }));
    await expect.poll(() => running.size).toBe(2);
    const wide = await submitOne(task('wide', { claims: { write: ['a', 'b'] } }));
    await blocked(1);
    const narrow = await submitOne(task('narrow', { claims: { write: ['a/x'] } }));
    await blocked(2);
    const behind = await signalbox.explain(narrow);
    expect(behind).toMatchObject({ position: 2, ahead: [wide] });
    expect(behind.chain.map(({ taskId, holderTaskId }) => [taskId, holderTaskId])).toEqual([
      [narrow, holder],
      [wide, holder],
    ]);
    letGo('holder');
    await expect.poll(() => running.has('narrow')).toBe(true);
    const passed = await signalbox.explain(wide);
    expect(passed.summary).toContain('may pass');
    expect(new Set(passed.blockedBy.map(({ holder: { taskId } }) => taskId))).toEqual(new Set([narrow, other]));
  });

  test('says what is counted and how to raise it, and that a pause is nobody’s claim', async () => {
    await signalbox.queue.line.setLimit('resource:db', 1);
    await work();
    const holder = await submitOne(task('holder', { claims: { resources: ['db'] } }));
    await expect.poll(() => running.size).toBe(1);
    const waiter = await submitOne(task('waiter', { claims: { resources: ['db'] } }));
    await blocked(1);
    const explained = await signalbox.explain(waiter);
    expect(explained.blockedBy).toMatchObject([
      { resource: 'resource:db', mode: 'slot', holder: { kind: 'run', taskId: holder } },
    ]);
    expect(explained.next).toContain('limits set resource:db');
    await signalbox.queue.pause();
    letGo('holder');
    await expect.poll(async () => (await signalbox.explain(waiter)).next).toContain('signalbox resume');
    expect((await signalbox.explain(waiter)).estimatedStartAt).toBeNull();
    await signalbox.queue.resume();
    await expect.poll(() => running.has('waiter')).toBe(true);
  });

  test('names the tasks that one depends on', async () => {
    const [first, second] = await signalbox.submit([
      task('first', { idempotencyKey: 'first' }),
      task('second', { dependsOn: ['first'] }),
    ]);
    const explained = await signalbox.explain(second?.id ?? '');
    expect(explained.state).toBe('scheduled');
    expect(explained.summary).toContain(`${first?.id} (queued)`);
    expect(explained.next).toContain(`signalbox explain ${first?.id}`);
  });
});

describe('an estimate', () => {
  test('is null until something has run, then says when a task and those behind it would start', async () => {
    await work({ concurrency: 1 });
    const input = task('same', { implement: [{ handler: 'quick' }] });
    const [before] = await signalbox.estimate(input);
    expect(before).toMatchObject({ id: null, state: 'queued', duplicate: false, estimatedWaitMs: 0 });
    const unknown = await signalbox.estimate([input, input]);
    expect(unknown[1]).toMatchObject({ estimatedStartAt: null, estimatedWaitMs: null });
    const ran = await signalbox.waitFor(await submitOne(input));
    const took = Date.parse(ran.finishedAt ?? '') - Date.parse(ran.startedAt ?? '');
    const [first, second, third] = await signalbox.estimate([
      { ...input, idempotencyKey: 'first' },
      { ...input, dependsOn: ['first'] },
      { ...input, dependsOn: [ran.id] },
    ]);
    expect(first).toMatchObject({ state: 'queued', estimatedWaitMs: 0 });
    expect(second?.state).toBe('scheduled');
    expect(second?.estimatedWaitMs).toBeGreaterThanOrEqual(50);
    expect(third?.state).toBe('queued');
    expect(took).toBeGreaterThanOrEqual(50);
    expect((await signalbox.list()).map(({ id }) => id)).toEqual([ran.id]);
  });

  test('refuses what submit refuses, and knows what was submitted before', async () => {
    const input = task('once', { idempotencyKey: 'k' });
    const [accepted] = await signalbox.submit(input);
    expect(await signalbox.estimate(input)).toMatchObject([{ id: accepted?.id, duplicate: true, state: 'queued' }]);
    const bad: [Partial<TaskInput>, string, string][] = [
      [{ idempotencyKey: 'k' }, 'IDEMPOTENCY', 'idempotencyKey'],
      [{ dependsOn: ['taaaaaa-00000001-aaaaaa'] }, 'INVALID', 'dependsOn[0]'],
      [{ claims: { resources: ['nothing'] } }, 'INVALID', 'claims.resources[0]'],
    ];
    for (const [more, code, field] of bad) {
      await expect(signalbox.estimate(task('bad', more))).rejects.toMatchObject({ code, field });
      await expect(signalbox.submit(task('bad', more))).rejects.toMatchObject({ code, field });
    }
    expect(await signalbox.list()).toHaveLength(1);
  });

  test('of a blocked task is when its holder is likely to end', async () => {
    await work();
    for (const title of ['holder', 'waiter']) {
      const id = await submitOne(task(title, { implement: [{ handler: 'quick' }] }));
      expect((await signalbox.waitFor(id)).state).toBe('succeeded');
    }
    await submitOne(task('holder', { claims: { write: ['a'] } }));
    await expect.poll(() => running.size).toBe(1);
    const waiter = await submitOne(task('waiter', { claims: { write: ['a'] } }));
    await blocked(1);
    const { estimatedStartAt } = await signalbox.explain(waiter);
    expect(Date.parse(estimatedStartAt ?? '')).toBeGreaterThan(Date.now() - 1_000);
    expect(Date.parse(estimatedStartAt ?? '')).toBeLessThan(Date.now() + 60_000);
  });
});

test('what waiting has cost is told by resource, over pages of kept tasks', async () => {
  await work();
  await submitOne(task('holder', { claims: { write: ['src/**'] }, owner: 'me' }));
  await expect.poll(() => running.size).toBe(1);
  const others = await signalbox.submit(
    Array.from({ length: 250 }, (_, i) => task(`free ${i}`, { implement: [{ handler: 'quick' }] })),
  );
  const waiters = await signalbox.submit(
    ['one', 'two'].map((owner) =>
      task(owner, { claims: { write: [`src/${owner}`] }, owner, implement: [{ handler: 'quick' }] }),
    ),
  );
  await blocked(2);
  for (const { id } of others) await signalbox.waitFor(id);
  letGo('holder');
  const ends = await Promise.all(waiters.map(async ({ id }) => await signalbox.waitFor(id)));
  const { hot } = await signalbox.hot();
  const [first] = hot;
  expect(hot).toHaveLength(1);
  expect(first).toMatchObject({ repo: ends[0]?.repo, resource: 'path:src', waits: 2, tasks: 2, finerClaimMs: 0 });
  expect(Object.keys(first?.byOwner ?? {}).toSorted()).toEqual(['one', 'two']);
  expect(first?.waitMs).toBe(ends.reduce((sum, { blockedMs }) => sum + blockedMs, 0));
  expect(await signalbox.hot({ repo: 'https://git.example.com/acme/other' })).toEqual({ hot: [] });
});
