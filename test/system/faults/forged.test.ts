import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect } from 'vitest';
import { readStored, writeStored } from '../../support/system/stored-record.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

/** What somebody who can write to Redis may do to a queued task, and what its worker is to say of it. */
const FORGERIES: readonly (readonly [
  what: string,
  forge: (world: World, id: string) => Promise<unknown>,
  said: RegExp,
])[] = [
  ['a record that is no JSON', (world, id) => writeEnvelope(world, id, () => '{"v":1,'), /JSON/],
  [
    'a record of a version that never was',
    (world, id) => writeEnvelope(world, id, (stored) => ({ ...stored, v: 0 })),
    /`v`/,
  ],
  [
    'an extra field beside the task',
    (world, id) => writeEnvelope(world, id, (stored) => ({ ...stored, extra: 1 })),
    /`extra`/,
  ],
  [
    'an extra field in the task',
    (world, id) => writeEnvelope(world, id, (stored) => ({ ...stored, task: { ...stored.task, sudo: true } })),
    /sudo/,
  ],
  [
    'a branch that is an option',
    (world, id) =>
      writeEnvelope(world, id, (stored) => ({ ...stored, task: { ...stored.task, branch: '--upload-pack=x' } })),
    /branch/,
  ],
  [
    'ten megabytes',
    (world, id) =>
      writeEnvelope(world, id, (stored) => ({
        ...stored,
        task: { ...stored.task, message: 'x'.repeat(10 * 2 ** 20) },
      })),
    /larger than is allowed/,
  ],
  [
    'deep nesting',
    (world, id) => writeEnvelope(world, id, () => `{"v":1,"task":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    /nested deeper/,
  ],
  [
    'a prototype',
    (world, id) =>
      writeEnvelope(world, id, (stored) => `{"v":1,"__proto__":{"sudo":true},"task":${JSON.stringify(stored.task)}}`),
    /__proto__/,
  ],
  ...(
    [
      ['repo', 'ext::sh -c touch% /tmp/forged', /`repo` must be/],
      ['repo', '--upload-pack=touch /tmp/forged', /`repo` must not begin/],
      ['repo', 'https://me:hunter2@git.example.com/a/b', /`repo` must not contain a password/],
      ['repo', 'https://git.example.com/a\r\nb', /`repo` must not contain control/],
      ['repoKey', '', /`repoKey` must not be empty/],
      ['branch', '--upload-pack=x', /`branch` must begin/],
      ['base', '-x', /`base` must begin/],
      ['grown', '[1]', /`grown` must hold paths/],
      ['grown', '["../x"]', /`grown` must not contain `\.\.`/],
      ['resume', '../../../etc/passwd', /`resume` must be a patch/],
      ['resume', 'artifacts/t000000-00000001-aaaaaa/run-1/unpublished.patch', /`resume` must be a patch/],
      ['rank', 'first', /`rank` must be a number/],
      ['maxAttempts', 'many', /`maxAttempts` must be a number/],
    ] as const
  ).map(([field, value, said]): (typeof FORGERIES)[number] => [
    `the ${field} ${value}`,
    (world, id) => world.client.queue.redis.hset(world.client.queue.keys.key('task', id), field, value),
    said,
  ]),
  ['a job of a version that never was', (world, id) => writeJob(world, id, '{"v":0}'), /version 0/],
  ['a job whose version is no number', (world, id) => writeJob(world, id, '{"v":"2"}'), /version "2"/],
  ['a job without data', (world, id) => writeJob(world, id, 'null'), /version/],
];

interface Stored {
  readonly v: number;
  readonly task: Readonly<Record<string, unknown>>;
}

async function writeEnvelope({ client }: World, id: string, change: (stored: Stored) => unknown): Promise<void> {
  const { envelope = '' } = await readStored(client.queue, id);
  const forged = change(JSON.parse(envelope) as Stored);
  await writeStored(client.queue, id, { envelope: typeof forged === 'string' ? forged : JSON.stringify(forged) });
}

async function writeJob({ client }: World, id: string, data: string): Promise<void> {
  const { redis, keys } = client.queue;
  expect(await redis.hset(`${keys.bull.prefix}:${keys.bull.name}:${id}`, 'data', data)).toBe(0);
}

async function addJob({ client, redisUrl }: World, jobId: string, data: unknown): Promise<void> {
  const { keys } = client.queue;
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue(keys.bull.name, { connection, prefix: keys.bull.prefix });
  await queue.add('task', data, { jobId, priority: 1 });
  await queue.close();
  connection.disconnect();
}

describe('a forged job', () => {
  systemTest('is set aside with its reason, and its worker goes on', async (world) => {
    world.remote();
    const ids = await world.submitAll(FORGERIES.map(() => ({ implement: [world.stamps.workFor(1)] })));
    for (const [i, [, forge]] of FORGERIES.entries()) await forge(world, ids[i] ?? '');
    const strangers: readonly (readonly [string, unknown])[] = [
      ['nobody-submitted-this', { v: 1, title: 'x' }],
      ['t000000-00000001-aaaaaa', { v: 1, title: 'x' }],
      ['no-object', 'just text'],
      ['../../etc/passwd', { v: 1, __proto__: { polluted: true } }],
    ];
    for (const [jobId, data] of strangers) await addJob(world, jobId, data);
    await world.startWorkers(1);
    const good = await world.submit({ branch: 'task/good', implement: ['echo good > good.txt'] });

    expect(await world.ended(good)).toMatchObject({ state: 'succeeded' });
    await world.drained();
    for (const [i, [what, , said]] of FORGERIES.entries()) {
      const { state, code, error, runs } = await world.client.get(ids[i] ?? '');
      expect({ state, code, runs }, what).toEqual({ state: 'failed', code: 'invalid', runs: 0 });
      expect(error, what).toMatch(said);
    }
    const setAside = (): string[] =>
      world
        .events('job.set_aside')
        .map(({ jobId }) => String(jobId))
        .sort();
    const all = [...ids, ...strangers.map(([jobId]) => jobId)].sort();
    await until('all are set aside', () => setAside().length >= all.length);
    expect(setAside()).toEqual(all);
    for (const event of world.events('job.set_aside')) expect(String(event['reason'])).not.toBe('');
    expect(JSON.stringify(world.events())).not.toContain('hunter2');
    expect(world.stamps.intervals()).toEqual([]);
    expect(world.workers.map(({ isAlive }) => isAlive)).toEqual([true]);
  });
});
