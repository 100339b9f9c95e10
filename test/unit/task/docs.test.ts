import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ERROR_CODES } from '../../../src/errors.ts';
import { orderByDependencies } from '../../../src/task/dependencies.ts';
import { taskJsonSchema } from '../../../src/task/json-schema.ts';
import { EXPLANATIONS } from '../../../src/task/outcomes.ts';
import { parseTasks } from '../../../src/task/schema.ts';
import { TRANSITIONS } from '../../../src/task/states.ts';
import { readTaskText } from '../../../src/task/text.ts';
import { codeBlocks } from '../../support/documents.ts';
import { docTable, docText } from '../../support/markdown.ts';

interface Schema {
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: { readonly anyOf: readonly Schema[] };
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
}

/** A field by its path: `claims.until`. */
function fieldOf(schema: Schema, path: string): Schema {
  return path.split('.').reduce<Schema>((outer, name) => outer.properties?.[name] ?? {}, schema);
}

/** `field, default, meaning` of every field; the claims' own fields come one by one. */
function fieldRows(schema: Schema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    if (field.properties !== undefined) return fieldRows(field, `${name}.`);
    const required = schema.required?.includes(name) === true;
    const fallback =
      field.default === undefined ? '' : (z.string().safeParse(field.default).data ?? JSON.stringify(field.default));
    return [[`${prefix}${name}`, required ? 'required' : fallback, (field.description ?? '').replaceAll('`', '')]];
  });
}

describe('docs/task-file.md', () => {
  const schema = taskJsonSchema() as Schema;

  test('lists every field with its default', () => {
    const rows = docTable('task-file.md', 'Fields').filter((cells) => cells.length === 3);
    expect(rows).toEqual(fieldRows(schema));
  });

  test('lists every field of a step', () => {
    const step = schema.properties?.['implement']?.items?.anyOf.find((option) => option.type === 'object');
    expect(docTable('task-file.md', 'Steps')).toEqual(fieldRows(step ?? {}));
  });

  test('lists every value of the fields with a choice', () => {
    const rows = docTable('task-file.md', 'Fields').filter((cells) => cells.length === 2);
    for (const [name = '', text = ''] of rows.filter(([field]) => !['field', '---'].includes(field ?? ''))) {
      for (const value of fieldOf(schema, name).enum ?? [name]) expect(text).toMatch(new RegExp(`\\b${value}\\b`));
    }
    expect(rows.length).toBeGreaterThan(5);
  });
});

describe('docs/scheduling.md', () => {
  const policies = docTable('scheduling.md', 'The six policies');

  test('lists every conflict policy', () => {
    expect(policies.map(([policy]) => policy)).toEqual(fieldOf(taskJsonSchema() as Schema, 'onConflict').enum);
  });

  test('names ways to end that there are', () => {
    const ends = policies.flatMap(([, , , , end = '']) =>
      [...end.matchAll(/(\w+), (\w+)$/g)].map(([, ...words]) => words),
    );
    expect(ends.length).toBeGreaterThan(0);
    for (const [state = '', code = ''] of ends) expect(EXPLANATIONS).toHaveProperty([state, code]);
  });
});

test.each(['task-file.md', 'claims.md', 'scheduling.md'])('docs/%s has examples that are valid', (page) => {
  const examples = codeBlocks(docText(page), 'yaml');
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) {
    const tasks = parseTasks(readTaskText(example));
    expect(orderByDependencies(tasks)).toHaveLength(tasks.length);
  }
});

describe('docs/errors.md', () => {
  test('lists every error code with its exit code', () => {
    const rows = docTable('errors.md', 'Error codes').map(([code, exit]) => [code, Number(exit)]);
    expect(rows).toEqual(Object.entries(ERROR_CODES));
  });

  test('lists every way a task ends other than by success', () => {
    const rows = Object.entries(EXPLANATIONS).flatMap(([state, codes]) =>
      Object.entries(codes).map(([code, { summary, next }]) => [state, code, summary, next.replaceAll('`', '')]),
    );
    expect(docTable('errors.md', 'How a task ends')).toEqual(rows);
  });

  test('lists every transition between states', () => {
    const rows = Object.entries(TRANSITIONS).map(([from, to]) => [from, to.join(', ') || 'final']);
    expect(docTable('errors.md', 'States')).toEqual(rows);
  });
});
