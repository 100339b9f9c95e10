import { describe, expect } from 'vitest';
import { Random } from '../support/system/random.ts';
import { meetings } from '../support/system/stamps.ts';
import { until } from '../support/system/until.ts';
import { systemTest, type TestTask } from '../support/system/world.ts';

/** Tasks of handlers make no checkout, so their repository need not exist. */
const repo = 'https://git.example.com/acme/app.git';

/** Two claims in different words, and whether they are one thing. */
const PAIRS: readonly (readonly [string, string, 'one' | 'two'])[] = [
  ['src/auth/**', 'src/auth/login.ts', 'one'],
  ['src/auth', 'src/auth/deep/down/file.ts', 'one'],
  ['a/b', './a/b', 'one'],
  ['a/b', 'a//b', 'one'],
  ['a/b', 'A/b', 'one'],
  ['caf\u00e9/menu', 'cafe\u0301/menu', 'one'],
  ['stra\u00dfe', 'STRASSE', 'one'],
  ['src/*.ts', 'src/deep/file.ts', 'one'],
  ['**', 'any/thing', 'one'],
  ['src/auth/**', 'src/db/a.ts', 'two'],
  ['a/b', 'a/bc', 'two'],
  ['a/b/c', 'a/d', 'two'],
  ['page[1].ts', 'page1.ts', 'two'],
];

describe('claims on paths', () => {
  systemTest('meet however they are spelled, and only where they overlap', async (world) => {
    await world.startWorkers(2, { concurrency: 2 * PAIRS.length });
    const tasks = (which: 0 | 1): TestTask[] =>
      PAIRS.map((pair, i) => ({
        repo: `https://git.example.com/acme/app-${i}.git`,
        claims: { write: [pair[which]] },
        implement: [world.handled({ gate: 'all' })],
      }));
    const firsts = await world.submitAll(tasks(0));
    await Promise.all(firsts.map((id) => world.working(id)));
    const seconds = await world.submitAll(tasks(1));
    const settled = await Promise.all(seconds.map(async (id) => (await world.reached(id, 'blocked', 'running')).state));
    expect(settled).toEqual(PAIRS.map(([, , things]) => (things === 'one' ? 'blocked' : 'running')));
    // The record says that they run before their steps begin.
    await Promise.all(seconds.filter((_id, i) => settled[i] === 'running').map((id) => world.working(id)));
    world.openGate('all');
    await world.drained();
    const pairs = meetings(world.stamps.intervals()).map(([a, b]) => [
      firsts.indexOf(a.taskId),
      seconds.indexOf(b.taskId),
    ]);
    const together = pairs.filter(([first, second]) => first === second).map(([first]) => first ?? -1);
    const disjoint = PAIRS.flatMap(([, , things], i) => (things === 'two' ? [i] : []));
    expect(together.sort((a, b) => a - b)).toEqual(disjoint);
  });

  systemTest('let readers work together, and a writer never beside them', async (world) => {
    await world.startWorkers(2);
    const task = (claims: NonNullable<TestTask['claims']>, gate: string): TestTask => ({
      repo,
      claims,
      implement: [world.handled({ gate })],
    });
    const readers = await world.submitAll([task({ read: ['src/**'] }, 'read'), task({ read: ['src/a.ts'] }, 'read')]);
    await Promise.all(readers.map((id) => world.working(id)));
    const writer = await world.submit(task({ write: ['src/a.ts'] }, 'write'));
    await world.reached(writer, 'blocked');
    world.openGate('read');
    await world.working(writer);
    const late = await world.submit(task({ read: ['src/**'] }, 'read'));
    const { conflicts } = await world.reached(late, 'blocked');
    expect(conflicts.map(({ holderTaskId }) => holderTaskId)).toEqual([writer]);
    world.openGate('write');
  });

  systemTest('in random sets on two workers come to no deadlock, and overlapping ones never meet', async (world) => {
    await world.startWorkers(2, { concurrency: 8 });
    const random = new Random(20);
    const files = ['a', 'b', 'c', 'src/d', 'src/e', 'src/f', 'lib/deep/g', 'lib/deep/h', 'src', 'lib/deep'];
    const tasks = Array.from({ length: 500 }, (_, i): TestTask => {
      // Every fifth wants {a, b} or {b, a}: the classic deadlock.
      const mixed = random.some(files, 1 + random.below(3));
      const write = i % 5 === 0 ? (i % 2 === 0 ? ['a', 'b'] : ['b', 'a']) : mixed.slice(0, 1 + random.below(2));
      const read = i % 5 === 0 ? [] : mixed.slice(write.length);
      return { repo, claims: { write, read }, implement: [world.handled({ ms: random.below(8) })] };
    });
    const ids = await world.submitAll(tasks);
    await world.drained();
    const { finished } = await world.client.status();
    expect(finished).toBe(500);
    expect((await world.client.list({ state: 'succeeded' })).length).toBe(500);
    expect(new Set(world.stamps.intervals().map(({ taskId }) => taskId)).size).toBe(ids.length);
    expect(await world.client.claims()).toEqual({ held: [], waiting: [] });
  });

  systemTest(
    'of a whole repository are had within their bound amid a stream of small ones',
    async (world) => {
      const lengthMs = 300;
      await world.startWorkers(2);
      const small = (i: number): TestTask => ({
        repo,
        claims: { write: [`lane-${i % 3}`] },
        implement: [world.handled({ ms: lengthMs })],
      });
      let sent = 0;
      const keepStream = async (): Promise<void> => {
        const { queued, blocked, running } = await world.client.status();
        const missing = 9 - queued - blocked - running;
        if (missing > 0) await world.submitAll(Array.from({ length: missing }, () => small(sent++)));
      };
      await until('the stream flows', async () => {
        await keepStream();
        return world.stamps.intervals().length > 3;
      });
      const whole = await world.submit({ repo, claims: { write: ['**'] }, implement: [world.handled({ ms: 10 })] });
      let passedOver = 0;
      await until('the whole repository was had', async () => {
        await keepStream();
        const { waiting } = await world.client.claims();
        passedOver = Math.max(passedOver, waiting.find(({ taskId }) => taskId === whole)?.passedOver ?? 0);
        return world.stamps.of(whole).length > 0;
      });
      const before = world.stamps.intervals().filter(({ start }) => start < (world.stamps.of(whole)[0]?.start ?? 0));
      // Others were let by it: the stream would have gone on for ever. Nine are under way at any time.
      expect(passedOver).toBeGreaterThan(0);
      expect(before.length).toBeGreaterThan(3);
      const { blockedMs } = await world.client.get(whole);
      const keepAfterMs = 500;
      expect(blockedMs).toBeLessThan(keepAfterMs + 10 * lengthMs + 10_000);
    },
    { keepAfter: '500ms' },
  );
});
