import { describe, expect } from 'vitest';
import { Signalbox, type TaskInput } from '../../../src/index.ts';
import { readStored, writeStored } from '../../support/system/stored-record.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const KEY = 'a-key-that-only-the-team-has';

type Fields = Record<string, string>;

/** The record of a task as it lies in Redis. */
async function recordOf({ client }: World, id: string): Promise<Fields> {
  return await readStored(client.queue, id);
}

async function write({ client }: World, id: string, fields: Fields): Promise<void> {
  await writeStored(client.queue, id, fields);
}

/** The envelope with something else in its task. */
function altered(envelope = '', change: Readonly<Record<string, unknown>>): string {
  const stored = JSON.parse(envelope) as { task: object };
  return JSON.stringify({ ...stored, task: { ...stored.task, ...change } });
}

const EVIL = [{ name: 'evil', command: { kind: 'shell', script: 'echo evil > evil.txt' }, retries: 0 }];

/** What somebody who can write to Redis, and has no key, may do to a signed task. `other` is another signed task. */
const FORGERIES: readonly (readonly [what: string, forge: (own: Fields, other: Fields) => Fields, said: RegExp])[] = [
  ['other steps', ({ envelope }) => ({ envelope: altered(envelope, { implement: EVIL }) }), /wrong signature/],
  ['another environment', ({ envelope }) => ({ envelope: altered(envelope, { env: { X: 'y' } }) }), /wrong signature/],
  ['other secrets', ({ envelope }) => ({ envelope: altered(envelope, { secrets: ['HOME'] }) }), /wrong signature/],
  ['more attempts', () => ({ maxAttempts: '99' }), /wrong signature/],
  ['another branch', () => ({ branch: 'main' }), /wrong signature/],
  ['another repository', (_own, { repo = '' }) => ({ repo: `${repo}/elsewhere` }), /wrong signature/],
  ['another name for its repository', () => ({ repoKey: 'elsewhere' }), /wrong signature/],
  ['another host', () => ({ repoHost: 'elsewhere' }), /wrong signature/],
  ['another owner', () => ({ owner: 'somebody' }), /wrong signature/],
  ['another base', () => ({ base: 'other' }), /another base/],
  ['a base that is a task', (_own, { envelope = '' }) => ({ base: `task:${envelope.length}` }), /another base/],
  ['no signature', () => ({ signature: '' }), /wrong signature/],
  ['another task’s envelope', (_own, { envelope = '' }) => ({ envelope }), /wrong signature/],
  ['another task’s envelope and signature', (_own, other) => other, /wrong signature/],
];

describe('with a signing key', () => {
  systemTest(
    'a task that was altered in Redis is set aside before it has done anything',
    async (world) => {
      const remote = world.remote();
      await world.client.pause();
      const task: TaskInput = { title: 'A task', repo: remote.dir, implement: [world.stamps.workFor(1)] };
      const others = await world.submitAll([
        { ...task, title: 'Another' },
        { ...task, title: 'One more' },
      ]);
      const ids = await world.submitAll(FORGERIES.map(([what]) => ({ ...task, title: what })));
      const other = await recordOf(world, others[0] ?? '');
      const { envelope = '', signature = '', repo = '' } = other;
      for (const [i, [, forge]] of FORGERIES.entries()) {
        const id = ids[i] ?? '';
        await write(world, id, forge(await recordOf(world, id), { envelope, signature, repo }));
      }
      const [stacked = ''] = await world.submitAll([{ ...task, title: 'Stacked', base: `task:${others[0]}` }]);
      await write(world, stacked, { base: `task:${ids[0]}` });
      const [moved = ''] = await world.submitAll([{ ...task, title: 'Moved', base: `task:${others[0]}` }]);
      await write(world, moved, { base: `task:${others[1]}` });
      const unsigned = await submitWith(world, undefined, task);
      const foreign = await submitWith(world, `${KEY}-of-others`, task);
      await world.startWorkers(1);
      await world.client.resume();

      for (const id of others) expect(await world.ended(id)).toMatchObject({ state: 'succeeded' });
      await world.drained();
      const expected: [string, RegExp, string][] = [
        ...FORGERIES.map(([what, , said], i): [string, RegExp, string] => [ids[i] ?? '', said, what]),
        [stacked, /wrong signature/, 'a base that is an altered task'],
        [moved, /build upon/, 'a base that is another signed task'],
        [unsigned, /is not signed/, 'no key'],
        [foreign, /another key/, 'another key'],
      ];
      for (const [id, said, what] of expected) {
        const { state, code, error, runs } = await world.client.get(id);
        expect({ state, code, runs }, what).toEqual({ state: 'failed', code: 'invalid', runs: 0 });
        expect(error, what).toMatch(said);
        const aside = await until(`${id} is set aside`, () =>
          world.events('job.set_aside').find(({ jobId }) => jobId === id),
        );
        expect(aside['reason'], what).toMatch(said);
        // Whoever calls for it again would have it signed.
        await expect(world.client.retry(id), what).rejects.toMatchObject({ code: 'INVALID', message: error });
      }
      expect(new Set(world.stamps.intervals().map(({ taskId }) => taskId))).toEqual(new Set(others));
      expect(world.workers.map(({ isAlive }) => isAlive)).toEqual([true]);
      const said = JSON.stringify([world.events(), world.workers.map(({ complaints }) => complaints)]);
      expect(said).not.toContain(KEY);
    },
    { signingKey: KEY },
  );

  systemTest(
    'retries, dependencies, bases by key, supersession and duplicates work as without',
    async (world) => {
      world.remote();
      await world.startWorkers(1);
      const [first = ''] = await world.submitAll([{ idempotencyKey: 'first', implement: ['echo 1 > a.txt'] }]);
      await world.ended(first);
      // The first entry was submitted before, so that only the accepting script knows its id.
      const list = await world.submitAll([
        { idempotencyKey: 'first', implement: ['echo 1 > a.txt'] },
        { idempotencyKey: 'second', base: 'task:first', implement: ['cat a.txt; echo 2 > b.txt'] },
        { base: 'task:second', dependsOn: ['first'], implement: ['cat a.txt b.txt; echo 3 > c.txt'] },
      ]);
      expect(list[0]).toBe(first);
      for (const id of list) expect(await world.ended(id)).toMatchObject({ state: 'succeeded', error: null });
      const failing = await world.submit({ base: `task:${list[1]}`, implement: ['false'], attempts: 1 });
      expect(await world.ended(failing)).toMatchObject({ state: 'failed', code: 'implement_failed' });
      for (const id of [failing, list[1] ?? '']) {
        const again = await world.client.retry(id);
        world.ledger.set(again.id, { implement: ['true'] });
        expect((await world.ended(again.id)).code).not.toBe('invalid');
      }
      const [older = '', newer = ''] = await world.submitAll([
        { branch: 'task/one', implement: [world.stamps.workUntil(world.gate('never'))] },
        { branch: 'task/one', onConflict: 'supersede', implement: ['echo new > new.txt'] },
      ]);
      expect(await world.ended(older)).toMatchObject({ state: 'cancelled', code: 'superseded' });
      expect(await world.ended(newer)).toMatchObject({ state: 'succeeded' });
    },
    { signingKey: KEY },
  );
});

/** Submits to the world's queue with another key, or none. */
async function submitWith(world: World, signingKey: string | undefined, task: TaskInput): Promise<string> {
  const { redisUrl, client: own } = world;
  const key = signingKey === undefined ? {} : { signingKey };
  await using client = await Signalbox.connect({ queue: own.config.queue, redisUrl, ...key });
  const [accepted] = await client.submit(task);
  world.ledger.set(accepted?.id ?? '', task);
  return accepted?.id ?? '';
}
