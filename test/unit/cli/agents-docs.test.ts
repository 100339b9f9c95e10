/** docs/agents.md says what the presets, the tools and the hook are. */

import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readHookCall } from '../../../src/cli/hook/call.ts';
import { TOOLS } from '../../../src/cli/mcp/serve.ts';
import { defineConfig } from '../../../src/config/config.ts';
import { BUILT_IN_PRESETS, preset } from '../../../src/task/presets.ts';
import { parseTasks } from '../../../src/task/schema.ts';
import { codeBlocks } from '../../support/documents.ts';
import { docTable, docText } from '../../support/markdown.ts';

const page = docText('agents.md');

test('it lists every built-in preset with its command and secrets, and every field of one', () => {
  const tables = docTable('agents.md', 'Presets');
  const rows = Object.entries(BUILT_IN_PRESETS).map(([name, { run, secrets }]) => [
    name,
    run.join(' '),
    secrets.join(', '),
  ]);
  expect(tables).toEqual(expect.arrayContaining(rows));
  for (const field of Object.keys(preset.shape)) expect(page).toMatch(new RegExp(`^\\| \`${field}\` \\|`, 'm'));
  for (const { env } of Object.values(BUILT_IN_PRESETS))
    for (const name of Object.keys(env)) expect(page).toContain(name);
});

test('it lists every tool', () => {
  expect(docTable('agents.md', 'The MCP server').map(([name]) => name)).toEqual(TOOLS.map(({ name }) => name));
});

test('its task and its configuration are valid', () => {
  const [task = '', config = ''] = codeBlocks(page, 'yaml');
  expect(parseTasks(parse(task))).toHaveLength(1);
  expect(Object.keys(defineConfig(parse(config) as object).presets)).toContain('reviewer');
});

test('its settings call the hook for events that it knows, and for tools that write', () => {
  const hooks = codeBlocks(page, 'json').flatMap((text) =>
    Object.entries((JSON.parse(text) as { hooks?: object }).hooks ?? {}),
  );
  expect(hooks.length).toBe(4);
  for (const [event, entries] of hooks as [string, { matcher?: string; hooks: { command: string }[] }[]][]) {
    for (const { matcher, hooks: called } of entries) {
      expect(called.map(({ command }) => command)).toEqual(['signalbox hook']);
      for (const tool of matcher?.split('|') ?? ['']) {
        const call = { session_id: 's', hook_event_name: event, tool_name: tool, tool_input: { file_path: 'a' } };
        expect(readHookCall(JSON.stringify(call)).kind).toBe(matcher === undefined ? 'release' : 'claim');
      }
    }
  }
});
