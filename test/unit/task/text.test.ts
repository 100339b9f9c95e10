import { expect, test } from 'vitest';
import { taskJsonSchema } from '../../../src/task/json-schema.ts';
import { parseTasks } from '../../../src/task/schema.ts';
import { readTaskText } from '../../../src/task/text.ts';
import { refusal, SMALL_TASK } from './support.ts';

test('a task file may be YAML or JSON, one task or a list', () => {
  const yaml = 'title: Do it\nrepo: git@git.example.com:acme/app.git\nimplement: [npm ci]\n';
  expect(parseTasks(readTaskText(yaml))).toEqual(parseTasks(SMALL_TASK));
  expect(parseTasks(readTaskText(JSON.stringify([SMALL_TASK, SMALL_TASK])))).toHaveLength(2);
});

const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, i) => {
  const [name, earlier] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)];
  return `${name}: &${name} [${Array(9).fill(`*${earlier}`).join(',')}]`;
}).join('\n')}`;

test.each([
  ['broken YAML', 'title: [', 'line'],
  ['a field that comes twice', 'title: a\ntitle: b', 'unique'],
  ['10 MB', `title: ${'x'.repeat(10_000_000)}`, 'larger'],
  ['aliases that multiply', bomb, 'alias'],
])('a task file is refused for %s', (_name, text, word) => {
  const error = refusal(() => parseTasks(readTaskText(text)));
  expect(error.code).toBe('INVALID');
  expect(error.message).toContain(word);
});

test('a hostile key in YAML is refused by name', () => {
  expect(refusal(() => parseTasks(readTaskText('__proto__: {title: x}')))).toMatchObject({ field: '__proto__' });
});

test('the JSON Schema asks for what the task schema asks for, and knows every field', () => {
  const schema = taskJsonSchema() as { required: string[]; additionalProperties: boolean; properties: object };
  expect(schema.required).toEqual(['title', 'repo', 'implement']);
  expect(schema.additionalProperties).toBe(false);
  expect(Object.keys(schema.properties)).toHaveLength(25);
  for (const property of Object.values(schema.properties)) expect(property).toHaveProperty('description');
});
