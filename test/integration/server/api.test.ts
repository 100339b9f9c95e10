/** What each endpoint answers, held to the schemas that the OpenAPI document is made from. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import * as answers from '../../../src/server/contract/answers.ts';
import { DashboardWorld, type Got, gate, task } from './support.ts';

/** The answer, which has the fields of its schema and no others. */
function read<T>(schema: z.ZodType<T>, got: Got): T {
  expect(got.status, got.text).toBe(200);
  expect(got.headers.get('content-type')).toMatch(/^application\/json/);
  const value = schema.parse(got.json);
  // What the schema does not know it leaves out.
  expect(got.json).toEqual(value);
  return value;
}

test('every endpoint that looks answers as its schema says, with a task that runs and one that waits for it', async () => {
  await using world = await DashboardWorld.open();
  const { handler, open } = gate();
  await world.work({ work: handler });
  const first = await world.submit({ branch: 'b', claims: { write: ['src/a.ts'] } });
  await world.reached(first, 'running');
  const second = await world.submit({ branch: 'b2', claims: { write: ['src/a.ts'] } });
  await world.reached(second, 'blocked');

  const page = read(answers.taskPage, await world.ask('/tasks'));
  expect(page.tasks.map(({ id, state }) => [id, state])).toEqual([
    [second, 'blocked'],
    [first, 'running'],
  ]);
  expect(page.next).toBeNull();
  expect(read(answers.taskView, await world.ask(`/tasks/${first}`)).state).toBe('running');
  const why = read(answers.explanation, await world.ask(`/tasks/${second}/explain`));
  expect(why.blockedBy).toMatchObject([{ resource: 'path:src/a.ts', holder: { taskId: first } }]);
  expect(why).toEqual(await world.box.explain(second));
  const claims = read(answers.claims, await world.ask('/claims'));
  expect(claims.waiting).toMatchObject([
    { taskId: second, resource: 'path:src/a.ts', position: 1, holder: { kind: 'run', taskId: first } },
  ]);
  const status = read(answers.status, await world.ask('/status'));
  expect(status).toMatchObject({ running: 1, blocked: 1, runners: [{ taskId: first }] });
  const timeline = read(answers.timeline, await world.ask('/timeline'));
  expect(timeline.runs).toMatchObject([{ taskId: first, run: 1, state: 'running', finishedAt: null }]);
  expect(timeline.workers).toMatchObject([{ running: 1 }]);
  read(answers.hot, await world.ask('/hot'));
  read(answers.limits, await world.ask('/limits'));
  expect(read(answers.me, await world.ask('/me'))).toMatchObject({ role: 'open', tokenRequired: false });
  open();
  await world.reached(second, 'succeeded');
  expect(read(answers.hot, await world.ask('/hot?limit=5')).hot).toMatchObject([{ resource: 'path:src/a.ts' }]);
  const since = encodeURIComponent(new Date(Date.now() - 60_000).toISOString());
  const after = read(answers.timeline, await world.ask(`/timeline?since=${since}`));
  const waited = after.runs.find(({ taskId }) => taskId === second);
  expect(waited?.waits).toMatchObject([
    { resource: 'path:src/a.ts', holderTaskId: first, to: expect.any(String) as string },
  ]);
  expect(read(answers.explanation, await world.ask(`/tasks/${second}/explain`)).state).toBe('succeeded');
});

test('tasks are submitted, cancelled and run again; a key makes one task of two requests', async () => {
  await using world = await DashboardWorld.open();
  const keyed = { method: 'POST', body: task({ title: 'once' }), headers: { 'idempotency-key': 'k1' } };
  const [made] = read(answers.accepted, await world.ask('/tasks', keyed)).tasks;
  expect(made).toMatchObject({ state: 'queued', duplicate: false });
  expect(read(answers.accepted, await world.ask('/tasks', keyed)).tasks).toMatchObject([
    { id: made?.id, duplicate: true },
  ]);
  const other = await world.ask('/tasks', { ...keyed, body: task({ title: 'another' }) });
  expect(other.json).toMatchObject({ status: 409, code: 'IDEMPOTENCY', field: 'idempotencyKey' });
  const list = { ...keyed, body: [task(), task()], headers: { 'idempotency-key': 'k2' } };
  const both = read(answers.accepted, await world.ask('/tasks', list)).tasks;
  expect(both).toHaveLength(2);
  expect(read(answers.accepted, await world.ask('/tasks', list)).tasks.map(({ id }) => id)).toEqual(
    both.map(({ id }) => id),
  );

  const cancelled = read(answers.cancelled, await world.ask(`/tasks/${made?.id}/cancel`, { method: 'POST' }));
  expect(cancelled.tasks).toEqual([{ id: made?.id, result: 'cancelled' }]);
  const again = await world.ask(`/tasks/${made?.id}/cancel`, { method: 'POST', body: {} });
  expect([again.status, again.json]).toMatchObject([409, { code: 'STATE' }]);
  const [retried] = read(answers.accepted, await world.ask(`/tasks/${made?.id}/retry`, { method: 'POST' })).tasks;
  expect((await world.ask(`/tasks/${retried?.id}`)).json).toMatchObject({ retryOf: made?.id, title: 'once' });
});

test('the queue is paused, limited and planned', async () => {
  await using world = await DashboardWorld.open();
  expect(read(answers.paused, await world.ask('/pause', { method: 'POST' }))).toEqual({ paused: true, changed: true });
  expect((await world.ask('/status')).json).toMatchObject({ paused: true });
  expect(read(answers.paused, await world.ask('/resume', { method: 'POST' }))).toEqual({
    paused: false,
    changed: true,
  });
  const put = async (body: unknown): Promise<Got> => await world.ask('/limits', { method: 'PUT', body });
  expect(read(answers.limits, await put({ max_parallel_runners: 3, 'owner:a': 2 })).limits).toEqual({
    max_parallel_runners: 3,
    'owner:a': 2,
  });
  expect(read(answers.limits, await put({ 'owner:a': null })).limits).toEqual({ max_parallel_runners: 3 });
  const bad = await put({ max_parallel_runners: 5, 'owner:a': 0 });
  expect(bad.json).toMatchObject({ status: 400, code: 'INVALID', field: 'owner:a' });
  expect((await world.ask('/limits')).json).toEqual({ limits: { max_parallel_runners: 3 } });
  const same = [task({ claims: { write: ['a'] } }), task({ claims: { write: ['a'] } })];
  const plan = read(answers.plan, await world.ask('/plan', { method: 'POST', body: same }));
  expect(plan).toMatchObject({ waves: [[0], [1]], conflicts: [{ a: 0, b: 1, resource: 'path:a' }] });
  expect((await world.box.list()).length).toBe(0);
});

test('bad requests get a problem that names the field and what to do', async () => {
  await using world = await DashboardWorld.open();
  const post = async (body: unknown): Promise<Got> => await world.ask('/tasks', { method: 'POST', body });
  const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  const cases: [Got, number, string, string | undefined][] = [
    [await post(task({ branch: '-x' })), 400, 'INVALID', 'branch'],
    [await post([task(), { ...task(), titel: 'x' }]), 400, 'INVALID', '[1].titel'],
    [await post('{"title":"x","__proto__":{"y":1}}'), 400, 'INVALID', '__proto__'],
    [await post(deep), 400, 'INVALID', expect.stringMatching(/^a/) as string],
    [await post(task({ repo: './here' })), 400, 'INVALID', 'repo'],
    [await post([]), 400, 'INVALID', ''],
    [await post('{'), 400, 'BAD_REQUEST', undefined],
    [await world.ask('/tasks', { method: 'POST' }), 400, 'BAD_REQUEST', undefined],
    [await post(`"${'x'.repeat(2 * 1024 * 1024)}"`), 413, 'TOO_LARGE', undefined],
    [
      await world.ask('/tasks', { method: 'POST', body: 'a=1', headers: { 'content-type': 'text/plain' } }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      undefined,
    ],
    [await world.ask('/tasks?limit=1000'), 400, 'INVALID', 'limit'],
    [await world.ask('/tasks?stat=queued'), 400, 'INVALID', 'stat'],
    [await world.ask('/tasks?cursor=x'), 400, 'INVALID', 'cursor'],
    [await world.ask('/timeline?since=yesterday'), 400, 'INVALID', 'since'],
    [await world.ask('/claims?repo=../x'), 400, 'INVALID', 'repo'],
    [await world.ask('/tasks/nobody'), 404, 'NOT_FOUND', undefined],
    [await world.ask('/tasks/nobody/explain'), 404, 'NOT_FOUND', undefined],
    [await world.ask('/tasks/taaaaaa-00000001-aaaaaa'), 410, 'TASK_LOST', undefined],
    [await world.ask('/tasks/nobody/logs'), 404, 'NOT_FOUND', undefined],
    [await world.ask('/nothing'), 404, 'NO_SUCH_ADDRESS', undefined],
    [await world.ask('/tasks/%E0%A4%A'), 400, 'BAD_REQUEST', undefined],
    [await world.ask(`/tasks/${'x'.repeat(300)}`), 400, 'BAD_REQUEST', undefined],
  ];
  for (const [got, status, code, field] of cases) {
    expect(got.headers.get('content-type'), got.text).toMatch(/^application\/problem\+json/);
    const { next, detail, title, type, ...rest } = got.json as Record<string, unknown>;
    expect([got.status, rest]).toEqual([status, { status, code, ...(field === undefined ? {} : { field }) }]);
    for (const words of [next, detail, title, type]) expect(words).toMatch(/\S/);
  }
  expect(await world.box.list()).toEqual([]);
});

test('pages are whole and none is told twice while tasks come and go', async () => {
  await using world = await DashboardWorld.open();
  const many = Array.from({ length: 130 }, (_, i) => task({ title: `t${i}`, owner: i % 3 === 0 ? 'third' : 'others' }));
  const ids = (await world.box.submit(many)).map(({ id }) => id).toReversed();
  const seen: string[] = [];
  let next: string | null = '';
  while (next !== null) {
    const got: z.output<typeof answers.taskPage> = read(
      answers.taskPage,
      await world.ask(`/tasks${next === '' ? '' : `?cursor=${next}`}`),
    );
    expect(got.tasks.length).toBeLessThanOrEqual(50);
    seen.push(...got.tasks.map(({ id }) => id));
    next = got.next;
    await world.submit({ title: 'came meanwhile' });
  }
  expect(seen).toEqual(ids);

  const owned = read(answers.taskPage, await world.ask('/tasks?owner=third&limit=40'));
  expect(owned.tasks).toHaveLength(40);
  const rest = read(answers.taskPage, await world.ask(`/tasks?owner=third&limit=40&cursor=${owned.next}`));
  expect([...owned.tasks, ...rest.tasks].map(({ title }) => title)).toEqual(
    many
      .filter(({ owner }) => owner === 'third')
      .map(({ title }) => title)
      .toReversed(),
  );
  expect(rest.next).toBeNull();
  const repo = encodeURIComponent('git@git.example.com:acme/app.git');
  expect(read(answers.taskPage, await world.ask(`/tasks?repo=${repo}&state=queued&limit=1`)).tasks).toHaveLength(1);
  const elsewhere = encodeURIComponent('https://git.example.com/acme/other');
  expect(read(answers.taskPage, await world.ask(`/tasks?repo=${elsewhere}`))).toEqual({ tasks: [], next: null });
});

test('tasks are found by title, branch, owner, spec and id, whatever the case, and page by page', async () => {
  await using world = await DashboardWorld.open();
  const [titled, branched, owned, planned] = await world.box
    .submit([
      task({ title: 'Rate-limit the LOGIN' }),
      task({ title: 'second', branch: 'fix/login' }),
      task({ title: 'third', owner: 'login-team' }),
      task({ title: 'fourth', spec: 'login-plan' }),
      task({ title: 'has nothing to do with it' }),
    ])
    .then((accepted) => accepted.map(({ id }) => id));
  const found = async (query: string): Promise<{ ids: string[]; next: string | null }> => {
    const { tasks, next } = read(answers.taskPage, await world.ask(`/tasks?${query}`));
    return { ids: tasks.map(({ id }) => id), next };
  };
  expect((await found('q=Login')).ids).toEqual([planned, owned, branched, titled]);
  expect((await found(`q=${String(owned).toUpperCase()}`)).ids).toEqual([owned]);
  expect((await found('q=login&owner=login-team')).ids).toEqual([owned]);
  expect(await found('q=no+such+thing')).toEqual({ ids: [], next: null });
  const first = await found('q=login&limit=3');
  expect(first.ids).toEqual([planned, owned, branched]);
  expect(await found(`q=login&limit=3&cursor=${first.next}`)).toEqual({ ids: [titled], next: null });
});

test('many who ask at once share a read, and none is told less than was there when it asked', async () => {
  await using world = await DashboardWorld.open();
  for (let round = 0; round < 5; round += 1) {
    const asked = Array.from({ length: 20 }, async () => await world.ask('/tasks'));
    const id = await world.submit();
    const after = await Promise.all(Array.from({ length: 20 }, async () => await world.ask('/tasks?limit=1')));
    await Promise.all(asked);
    for (const got of after) expect((got.json as { tasks: { id: string }[] }).tasks[0]?.id).toBe(id);
  }
});

test('a title that is a script is data, and no page of this origin would run it', async () => {
  await using world = await DashboardWorld.open();
  const title = '<script>alert(1)</script><img src=x onerror=alert(1)>';
  const id = await world.submit({ title });
  const got = await world.ask(`/tasks/${id}`, { headers: { accept: 'text/html' } });
  expect(got.headers.get('content-type')).toMatch(/^application\/json/);
  expect(got.headers.get('x-content-type-options')).toBe('nosniff');
  expect((got.json as { title: string }).title).toBe(title);
  for (const path of ['//', '//queues', `//tasks/${id}`]) {
    const page = await world.ask(path, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(page.text).not.toContain('alert(1)');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/default-src 'none'/);
    expect(/script-src ([^;]*)/.exec(policy)?.[1]).toBe("'self'");
  }
});

test('nothing can be done to jobs by way of Bull Board', async () => {
  await using world = await DashboardWorld.open();
  const id = await world.submit();
  const queues = await world.ask('//queues/api/queues?activeQueue=tasks&page=1');
  expect(queues.json).toMatchObject({ queues: [{ name: 'tasks', readOnlyMode: true, jobs: [{ id }] }] });
  for (const path of ['tasks/pause', `tasks/${id}/promote`, `tasks/${id}/clean`, 'tasks/promote']) {
    const got = await world.ask(`//queues/api/queues/${path}`, { method: 'PUT' });
    expect([got.status, got.headers.get('content-type')], path).toMatchObject([
      403,
      expect.stringContaining('problem'),
    ]);
  }
  expect(await world.box.queue.bull.isPaused()).toBe(false);
});

test('the page is at every address that a browser may be sent to, its files may be kept, and nothing beside them is served', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-page-'));
  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'index.html'), '<!doctype html><div id="page"></div>');
  writeFileSync(join(dir, 'assets', 'main-abc.js'), 'export {};');
  writeFileSync(join(dir, 'secret.txt'), 'secret');
  try {
    await using world = await DashboardWorld.open({ pageDir: dir });
    for (const path of ['//', '//tasks/x', '//timeline?since=1']) {
      const page = await world.ask(path, { headers: { accept: 'text/html' } });
      expect([page.status, page.text], path).toMatchObject([200, expect.stringContaining('id="page"')]);
    }
    const script = await world.ask('//assets/main-abc.js');
    expect([script.status, script.headers.get('content-type')]).toMatchObject([
      200,
      expect.stringContaining('javascript'),
    ]);
    expect(script.headers.get('cache-control')).toContain('immutable');
    for (const path of ['//assets/none.js', '//assets/..%2fsecret.txt', '//assets/', '//secret.txt', '//tasks/x'])
      expect((await world.ask(path)).status, path).toBeGreaterThanOrEqual(400);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
