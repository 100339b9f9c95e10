import { expect, test } from 'vitest';
import { apiDocument } from '../../../src/server/api.ts';
import { PROBLEM_STATUS } from '../../../src/server/problems.ts';
import { docTable } from '../../support/markdown.ts';

test('docs/http-api.md lists every code with its status', () => {
  expect(docTable('http-api.md', 'Codes')).toEqual(
    Object.entries(PROBLEM_STATUS).map(([code, status]) => [code, String(status)]),
  );
});

test('docs/http-api.md lists every endpoint with its role', () => {
  const { paths } = apiDocument('1') as { paths: Record<string, Record<string, { description: string }>> };
  const endpoints = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { description }]) => [
      `${method.toUpperCase()} ${path.replace('/api/v1', '')}`,
      description.includes('`write`') ? 'write' : 'read',
    ]),
  );
  const documented = docTable('http-api.md', 'Endpoints').map(([endpoint, role]) => [endpoint, role]);
  expect(new Set(documented.map(String))).toEqual(new Set(endpoints.map(String)));
});
