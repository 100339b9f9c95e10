/** Who gets in, and what they may do there. */

import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { startDashboard } from '../../../src/server/dashboard.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';
import { DashboardWorld, type Got, READ, task, WRITE } from './support.ts';

const tokens = { token: WRITE, readToken: READ };
const html = { accept: 'text/html,application/xhtml+xml' };

/** Signs in as a browser does; answers its cookie. */
async function signIn(world: DashboardWorld, token: string, next = '/'): Promise<{ got: Got; cookie: string }> {
  const got = await world.ask('//login', {
    method: 'POST',
    body: new URLSearchParams({ token, next }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: world.url },
  });
  return { got, cookie: got.headers.get('set-cookie')?.split(';')[0] ?? '' };
}

/** Asks with a Host header of our choice, which `fetch` does not let through. */
async function askAs(world: DashboardWorld, host: string, path: string): Promise<number> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest(`${world.url}${path}`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject).end();
  });
}

test('once a token is set, nothing but /healthz answers without it', async () => {
  await using world = await DashboardWorld.open(tokens);
  const id = await world.submit();
  const paths = ['/tasks', `/tasks/${id}`, `/tasks/${id}/logs`, `/tasks/${id}/logs?follow=true`, `/tasks/${id}/diff`];
  paths.push(`/tasks/${id}/artifacts/0`, '/status', '/claims', '/hot', '/limits', '/timeline', '/events', '/me');
  paths.push('/openapi.json', '/nothing', '//', '//queues', '//queues/api/queues', '//queues/static/x', '//metrics');
  paths.push('//readyz', '//assets/x.js', '//nothing');
  for (const path of paths) {
    const got = await world.ask(path);
    expect([path, got.status, got.json]).toMatchObject([path, 401, { code: 'UNAUTHORIZED' }]);
    expect((await world.ask(path, { token: 'wrong-token' })).status, path).toBeGreaterThanOrEqual(401);
  }
  expect((await world.ask('//healthz')).json).toEqual({ ok: true });
});

test('with the token to read one looks, with the token to write one steers as well', async () => {
  await using world = await DashboardWorld.open(tokens);
  const id = await world.submit();
  for (const path of ['/status', `/tasks/${id}`, '//metrics', '//queues']) {
    expect((await world.ask(path, { token: READ })).status, path).toBe(200);
  }
  expect((await world.ask('/plan', { method: 'POST', body: task(), token: READ })).status).toBe(200);
  const steering: [string, string, unknown][] = [
    ['POST', '/tasks', task()],
    ['POST', `/tasks/${id}/cancel`, undefined],
    ['POST', `/tasks/${id}/retry`, undefined],
    ['PUT', '/limits', { max_parallel_runners: 1 }],
    ['POST', '/pause', undefined],
    ['POST', '/resume', undefined],
  ];
  for (const [method, path, body] of steering) {
    const got = await world.ask(path, { method, body, token: READ });
    expect([path, got.status, got.json]).toMatchObject([path, 403, { code: 'FORBIDDEN' }]);
  }
  expect(await world.box.status()).toMatchObject({ queued: 1, paused: false, maxParallelRunners: null });
  expect((await world.ask('/me', { token: READ })).json).toMatchObject({ role: 'read', tokenRequired: true });
  expect((await world.ask('/me', { token: WRITE })).json).toMatchObject({ role: 'write' });
  expect((await world.ask(`/tasks/${id}/cancel`, { method: 'POST', token: WRITE })).status).toBe(200);
});

test('a browser gets a form, shows the token once and is let in by a cookie that is not the token', async () => {
  await using world = await DashboardWorld.open(tokens);
  const refused = await world.ask('//tasks/abc?x=1"><script>', { headers: html });
  expect([refused.status, refused.headers.get('content-type')]).toMatchObject([
    401,
    expect.stringContaining('text/html'),
  ]);
  expect(refused.text).toContain('<form method="post" action="/login">');
  expect(refused.text).not.toContain('<script');
  expect(refused.headers.get('content-security-policy')).toContain("default-src 'none'");

  const wrong = await signIn(world, 'wrong-token');
  expect([wrong.got.status, wrong.cookie]).toEqual([401, '']);
  const { got, cookie } = await signIn(world, WRITE, '/tasks/abc');
  expect([got.status, got.headers.get('location')]).toEqual([303, '/tasks/abc']);
  expect(got.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Strict$/);
  expect(cookie).not.toContain(WRITE);
  for (const path of ['//', '//tasks/abc', '/me', '//queues', '//metrics']) {
    expect((await world.ask(path, { headers: { ...html, cookie } })).status, path).toBe(200);
  }
  expect((await world.ask('/me', { headers: { cookie } })).json).toMatchObject({ role: 'write' });
  expect((await signIn(world, WRITE, '//evil.example/')).got.headers.get('location')).toBe('/');
  const forged = cookie.replace('write', 'read');
  expect((await world.ask('/me', { headers: { cookie: forged } })).status).toBe(401);
  const late = cookie.replace(/\.\d+\./, `.${Date.now() + 9e9}.`);
  expect((await world.ask('/me', { headers: { cookie: late } })).status).toBe(401);
  const out = await world.ask('//logout', { method: 'POST', headers: { origin: world.url, cookie } });
  expect(out.headers.get('set-cookie')).toMatch(/=; Path=\/; Max-Age=0/);
});

test('what a session sends must come from the page of the dashboard, and be JSON', async () => {
  await using world = await DashboardWorld.open(tokens);
  const { cookie } = await signIn(world, WRITE);
  const post = async (headers: Record<string, string>, body?: unknown): Promise<number> =>
    (
      await world.ask(body === undefined ? '/pause' : '/tasks', {
        method: 'POST',
        body,
        headers: { cookie, ...headers },
      })
    ).status;
  expect(await post({})).toBe(403);
  expect(await post({ origin: 'http://evil.example' })).toBe(403);
  expect(await post({ origin: 'null' })).toBe(403);
  expect(await post({ origin: world.url, 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await post({ 'sec-fetch-site': 'same-site' })).toBe(403);
  expect(await post({ origin: world.url, 'content-type': 'text/plain' }, JSON.stringify(task()))).toBe(415);
  expect(await world.box.status()).toMatchObject({ paused: false, queued: 0 });
  expect(await post({ origin: world.url })).toBe(200);
  expect(await post({ origin: world.url, 'sec-fetch-site': 'same-origin' }, task())).toBe(200);
  const { cookie: reader } = await signIn(world, READ);
  expect((await world.ask('/resume', { method: 'POST', headers: { cookie: reader, origin: world.url } })).status).toBe(
    403,
  );
});

test('without a token another page cannot steer either, and a name that leads here by force is refused', async () => {
  await using world = await DashboardWorld.open();
  const pause = async (headers: Record<string, string>): Promise<number> =>
    (await world.ask('/pause', { method: 'POST', headers })).status;
  expect(await pause({ origin: 'http://evil.example' })).toBe(403);
  expect(await pause({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await world.box.status()).toMatchObject({ paused: false });
  expect(await pause({})).toBe(200);
  expect(await askAs(world, 'evil.example', '/api/v1/status')).toBe(403);
  expect(await askAs(world, `evil.example:${world.dashboard.port}`, '/')).toBe(403);
  expect(await askAs(world, `localhost:${world.dashboard.port}`, '/api/v1/status')).toBe(200);
});

test('who guesses tokens is slowed down', async () => {
  await using world = await DashboardWorld.open(tokens);
  const answers: number[] = [];
  for (let i = 0; i < 15; i += 1) answers.push((await world.ask('/me', { token: `wrong-token-${i}` })).status);
  expect(answers.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
  expect(answers.at(-1)).toBe(429);
  expect(Number((await world.ask('/me', { token: 'wrong-token' })).headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await signIn(world, 'wrong-token')).got.status).toBe(429);
  // Whoever has the right one is not kept out by who has not, though they come from one address.
  expect((await world.ask('/me', { token: WRITE })).status).toBe(200);
  expect((await signIn(world, WRITE)).got.status).toBe(303);
});

test('an address that others reach is refused without a token', async () => {
  const options = { redisUrl: testRedisUrl(), queue: freshQueueName(), port: 0, host: '0.0.0.0' };
  await expect(startDashboard(options)).rejects.toMatchObject({ code: 'INVALID', field: 'host' });
  const dashboard = await startDashboard({ ...options, token: WRITE });
  await dashboard.stop();
});

test('a port that is taken is said to be, or the next one is taken', async () => {
  await using world = await DashboardWorld.open();
  const { port } = world.dashboard;
  await expect(startDashboard({ ...world.options, port })).rejects.toMatchObject({ code: 'STATE' });
  const next = await startDashboard({ ...world.options, port, orNextPort: true });
  try {
    expect(next.port).toBeGreaterThan(port);
    expect((await fetch(`${next.url}/healthz`)).status).toBe(200);
  } finally {
    await next.stop();
  }
});
