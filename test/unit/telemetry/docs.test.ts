import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EVENTS } from '../../../src/telemetry/catalogue.ts';
import { docTable } from '../../support/markdown.ts';

test('docs/events.md lists every event with its level, fields and description', () => {
  const rows = Object.entries(EVENTS).map(([type, { level, fields, description }]) => {
    return [type, level, Object.keys(fields).join(', '), description.replaceAll('`', '')];
  });
  expect(docTable('events.md', 'Events')).toEqual(rows);
});

test('every event of the catalogue is reported somewhere, so that no subscriber waits for one that never comes', () => {
  const root = new URL('../../../src', import.meta.url).pathname;
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('telemetry'),
  );
  const code = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  const silent = Object.keys(EVENTS).filter((type) => !code.includes(`type: '${type}'`));
  expect(silent).toEqual([]);
});
