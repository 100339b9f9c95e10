import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exportQueue } from '../../../src/client/export.ts';
import { importQueue } from '../../../src/client/import.ts';
import { Signalbox } from '../../../src/index.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';

const repo = 'https://git.example.com/acme/app.git';
let from: Signalbox;
let to: Signalbox;

beforeEach(async () => {
  from = await Signalbox.connect({ redisUrl: testRedisUrl(), queue: freshQueueName() });
  to = await Signalbox.connect({ redisUrl: testRedisUrl(), queue: freshQueueName() });
});

afterEach(async () => {
  await from.close();
  await to.close();
});

describe('importQueue', () => {
  test('names the line and the field that is wrong, and takes nothing of the file then', async () => {
    await from.submit(['one', 'two'].map((title) => ({ title, repo, implement: ['true'] })));
    const { lines } = await exportQueue(from.queue);
    const changed = (at: number, what: string | RegExp, by: string): string =>
      lines.map((line, i) => (i === at ? line.replace(what, by) : line)).join('\n');
    const wrong: [string, object][] = [
      [changed(2, '\\"attempts\\":', '\\"tries\\":'), { field: 'line 3.task.fields.envelope' }],
      [changed(2, '"class":"2"', '"class":"9"'), { field: 'line 3.task.fields.class' }],
      [changed(2, '"title":', '"rank":"1","title":'), { field: 'line 3.task.fields.rank' }],
      [changed(2, /"id":"[^"]*"/, '"id":"two"'), { field: 'line 3.task.id' }],
      [changed(2, /.$/, ''), { field: 'line 3' }],
      [changed(0, '"signalboxExport":1', '"signalboxExport":2'), { field: 'line 1.signalboxExport' }],
      [lines.slice(0, 2).join('\n'), { message: expect.stringContaining('not whole') }],
      ['', { field: 'line 1' }],
    ];
    for (const [text, error] of wrong) {
      await expect(importQueue(to.queue, text), text).rejects.toMatchObject({ code: 'INVALID', ...error });
    }
    expect(await to.list()).toEqual([]);
    expect((await importQueue(to.queue, lines.join('\n'))).tasks).toHaveLength(2);
    expect((await to.list()).map(({ title }) => title)).toEqual(['two', 'one']);
  });

  test('leaves a task alone that was submitted again by its key, and lets the others depend on it', async () => {
    const first = { title: 'one', repo, idempotencyKey: 'k', implement: ['true'] };
    const [one] = await from.submit(first);
    await from.submit({ title: 'two', repo, dependsOn: [one?.id ?? ''], implement: ['true'] });
    const text = (await exportQueue(from.queue)).lines.join('\n');
    const [other] = await to.submit(first);
    const { tasks } = await importQueue(to.queue, text);
    expect(tasks).toMatchObject([
      { id: other?.id, duplicate: true },
      { state: 'scheduled', duplicate: false },
    ]);
    await to.cancel(other?.id ?? '');
    expect((await to.list())[0]).toMatchObject({ title: 'two', state: 'skipped' });
  });

  test('takes over no limit that is set here, and says so of a resource that has none', async () => {
    await from.setLimit('resource:db', 2);
    await from.setLimit('owner:team-a', 3);
    await from.submit({ title: 'one', repo, claims: { resources: ['db'] }, implement: ['true'] });
    await to.setLimit('owner:team-a', 1);
    const { lines } = await exportQueue(from.queue);
    const without = [lines[0]?.replace('"resource:db":2,', '').replace(',"resource:db":2', ''), ...lines.slice(1)];
    await expect(importQueue(to.queue, without.join('\n'))).rejects.toMatchObject({ code: 'INVALID' });
    expect(await to.list()).toEqual([]);
    await importQueue(to.queue, lines.join('\n'));
    expect(await to.limits()).toMatchObject({ 'resource:db': 2, 'owner:team-a': 1 });
  });

  test('carries signatures as they are, and takes no task that was changed or is not signed', async () => {
    const signed = { redisUrl: testRedisUrl(), queue: from.config.queue, signingKey: 'a-key-of-enough-characters' };
    await using box = await Signalbox.connect(signed);
    const [one] = await box.submit({ title: 'one', repo, implement: ['true'] });
    const text = (await exportQueue(box.queue)).lines.join('\n');
    const { redis, keys } = box.queue;
    await redis.del(await redis.keys(`${keys.prefix}*`));
    for (const changed of [text.replace('"title":"one"', '"title":"two"'), text.replace(/"signature":"[^"]*",?/, '')]) {
      expect(changed).not.toBe(text);
      await expect(importQueue(box.queue, changed)).rejects.toMatchObject({ field: 'line 2.task.fields.envelope' });
    }
    await importQueue(box.queue, text);
    const record = await box.queue.get(one?.id ?? '');
    expect(() => box.queue.store.signer?.check(record)).not.toThrow();
    expect(box.queue.store.signer).toBeDefined();
  });

  test('makes a task that is submitted later the newer one, also by number', async () => {
    const body = { repo, branch: 'task/one', implement: ['true'] };
    const [old] = await from.submit({ ...body, title: 'old' });
    await importQueue(to.queue, (await exportQueue(from.queue)).lines.join('\n'));
    await to.submit({ ...body, title: 'new', onConflict: 'supersede' });
    expect(await to.get(old?.id ?? '')).toMatchObject({ state: 'cancelled', code: 'superseded' });
  });
});
