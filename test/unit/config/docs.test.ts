import { expect, test } from 'vitest';
import { z } from 'zod';
import { optionsSchema, VARIABLES } from '../../../src/config/options.ts';
import { timings } from '../../../src/config/timings.ts';
import { docTable } from '../../support/markdown.ts';

test('docs/configuration.md lists every option with its variable and default', () => {
  const { properties = {} } = z.toJSONSchema(optionsSchema, { io: 'input', unrepresentable: 'any' });
  const rows = Object.entries(VARIABLES).map(([option, variable]) => {
    const { default: fallback, description } = properties[option] as { default?: unknown; description: string };
    const shown = fallback === undefined ? '' : JSON.stringify(fallback).replace(/^"(.*)"$|^\[\]$/, '$1');
    return [option, variable, shown, description];
  });
  expect(docTable('configuration.md', 'Options')).toEqual(rows);
  expect(Object.keys(VARIABLES).toSorted()).toEqual(Object.keys(optionsSchema.shape).toSorted());
});

test('docs/configuration.md lists every timing, with its value for the default lease', () => {
  const rows = docTable('configuration.md', 'Timings').map(([name, , value]) => [name, Number(value)]);
  expect(rows).toEqual(Object.entries(timings(10_000)));
});
