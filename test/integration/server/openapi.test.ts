/** The OpenAPI document: valid, whole, and good enough to generate a client from. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { generateApi } from 'swagger-typescript-api';
import { expect, test } from 'vitest';
import { apiDocument } from '../../../src/server/api.ts';
import { PROBLEM_STATUS } from '../../../src/server/problems.ts';
import { DashboardWorld, task, WRITE } from './support.ts';

test('a linter of others finds nothing wrong with it', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: JSON.stringify(apiDocument('1.2.3')), config });
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
});

test('the dashboard serves it, and every endpoint in it is there', async () => {
  await using world = await DashboardWorld.open();
  const document = (await world.ask('/openapi.json')).json as { paths: Record<string, Record<string, unknown>> };
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Signalbox' } });
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations)) {
      if (path.endsWith('/events')) continue;
      const asked = path.replace('{id}', 'nobody').replace('{index}', '0');
      const got = await world.ask(`/${asked}`, { method: method.toUpperCase() });
      expect([method, path, got.text.includes('NO_SUCH_ADDRESS')]).toEqual([method, path, false]);
    }
  }
});

test('it names only codes that there are', () => {
  const text = JSON.stringify(apiDocument('1.2.3'));
  const named = [...text.matchAll(/`([A-Z_]{4,})`/g)].map(([, code]) => code);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((code) => !Object.hasOwn(PROBLEM_STATUS, code ?? ''))).toEqual([]);
});

interface Client {
  readonly submitTasks: (
    body: unknown,
    headers: unknown,
  ) => Promise<{ data: { tasks: { id: string; state: string }[] } }>;
  readonly showTask: (id: string) => Promise<{ data: { title: string } }>;
}

test('a client that is generated from it submits a task and looks at it', async () => {
  await using world = await DashboardWorld.open({ token: WRITE });
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-client-'));
  try {
    const { files } = await generateApi({
      spec: apiDocument('1.2.3'),
      output: false,
      singleHttpClient: true,
      silent: true,
    });
    const file = join(dir, 'client.ts');
    writeFileSync(file, files.map(({ fileContent }) => fileContent).join('\n'));
    const { Api } = (await import(pathToFileURL(file).href)) as { Api: new (http: unknown) => { api: Client } };
    const { HttpClient } = (await import(pathToFileURL(file).href)) as { HttpClient: new (config: unknown) => unknown };
    const http = new HttpClient({
      baseUrl: world.url,
      baseApiParams: { headers: { authorization: `Bearer ${WRITE}` }, format: 'json' },
    });
    const { api } = new Api(http);
    const { data } = await api.submitTasks(task({ title: 'from a client' }), {});
    expect(data.tasks).toMatchObject([{ state: 'queued' }]);
    const shown = await api.showTask(data.tasks[0]?.id ?? '');
    expect(shown.data.title).toBe('from a client');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
