import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { endOf } from '../../../src/runner/notify/news.ts';
import { webhookHeaders } from '../../../src/runner/notify/sign.ts';
import { definitionOf, METRICS, type MetricName } from '../../../src/telemetry/metrics/definitions.ts';
import { ROOT } from '../../support/documents.ts';
import { docTable, docText } from '../../support/markdown.ts';

const names = Object.keys(METRICS) as MetricName[];

test('docs/operations.md lists every metric with its type, labels and meaning', () => {
  const rows = names.map((name) => {
    const { type, labels = {}, help } = definitionOf(name);
    return [name, type, Object.keys(labels).join(', '), help];
  });
  expect(docTable('operations.md', 'Every metric')).toEqual(rows);
});

test('metrics are named as Prometheus wants it, and each is counted or read somewhere', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.(?:ts|lua)$/.test(file) && !file.endsWith('definitions.ts'),
  );
  const code = files.map((file) => readFileSync(join(ROOT, 'src', file), 'utf8')).join('\n');
  const usedAsOwners = ['signalbox_owner_wait_seconds'];
  for (const name of names) {
    const { type } = definitionOf(name);
    expect(name, type).toMatch(type === 'counter' ? /^signalbox_[a-z_]+_total$/ : /^signalbox_[a-z_]+(?<!_total)$/);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(code.includes(name) || usedAsOwners.includes(name), `${name} is used`).toBe(true);
  }
  const unknown = [...code.matchAll(/'(signalbox_[a-z_]+)'/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => !(name in METRICS));
  expect(unknown).toEqual([]);
});

describe('the page’s example', () => {
  const [, code = ''] = /```js\n(.*?)```/s.exec(docText('operations.md')) ?? [];

  /** The function of the page, as a receiver would have it. */
  async function load(): Promise<(headers: object, body: string, secret: string) => boolean> {
    const dir = mkdtempSync(join(tmpdir(), 'signalbox-docs-'));
    try {
      const file = join(dir, 'receiver.mjs');
      writeFileSync(file, code);
      return ((await import(pathToFileURL(file).href)) as { isGenuine: Awaited<ReturnType<typeof load>> }).isGenuine;
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  test.each(['plain words', `whsec_${Buffer.from('some bytes of a key').toString('base64')}`])(
    'knows a genuine message by its signature with the secret %s',
    async (secret) => {
      const isGenuine = await load();
      const message = { id: 'task.failed.t1', atMs: Date.now(), body: '{"type":"task.failed"}' };
      const headers = webhookHeaders(message, secret);
      expect(isGenuine(headers, message.body, secret)).toBe(true);
      expect(isGenuine(headers, `${message.body} `, secret)).toBe(false);
      expect(isGenuine(headers, message.body, 'another')).toBe(false);
      expect(isGenuine({ ...headers, 'webhook-id': 'task.failed.t2' }, message.body, secret)).toBe(false);
      expect(isGenuine(webhookHeaders(message, undefined), message.body, secret)).toBe(false);
      const old = webhookHeaders({ ...message, atMs: Date.now() - 600_000 }, secret);
      expect(isGenuine(old, message.body, secret)).toBe(false);
    },
  );

  test('of a message has the fields of one', () => {
    const [, json = '{}'] = /```json\n(.*?)```/s.exec(docText('operations.md')) ?? [];
    const shown = JSON.parse(json) as { at: string; queue: string; task: Parameters<typeof endOf>[0] };
    const record = { ...shown.task, finishedAt: Date.parse(shown.at), conflicts: [] };
    expect(JSON.parse(endOf(record, shown.queue)?.body ?? '')).toEqual(shown);
  });
});
