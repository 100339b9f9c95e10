import { describe, expect, test } from 'vitest';
import { type ClaimSpec, claimSet, MAX_NODES, resourceOf } from '../../../src/claims/claim-set.ts';
import { conflicts, MODES } from '../../../src/claims/modes.ts';
import { exclude, spec } from '../../support/claims.ts';
import { docTable, docText } from '../../support/markdown.ts';

/** Reads `branch fix, write src/auth/**`. */
function readSpec(cell: string): ClaimSpec {
  const words = cell.split(', ').map((part) => part.split(' ') as [string, string]);
  const all = (kind: string) => words.filter(([word]) => word === kind).map(([, value]) => value);
  const [branch] = all('branch');
  return spec({ write: all('write'), read: all('read'), ...(branch === undefined ? {} : { branch }) });
}

/** The rows of the table that follows `text`. */
function tableAfter(text: string): string[][] {
  const after = docText('claims.md').split(text)[1] ?? '';
  const lines = after.slice(after.indexOf('\n|') + 1).split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/claims.md', () => {
  const examples = docTable('claims.md', 'What excludes what');

  test.each(examples)('says rightly whether %s and %s can be held at once: %s', (one, other, atOnce) => {
    expect(exclude(readSpec(one ?? ''), readSpec(other ?? '')) ? 'no' : 'yes').toBe(atOnce);
  });

  test('has examples of both answers', () => {
    expect(new Set(examples.map(([, , atOnce]) => atOnce))).toEqual(new Set(['yes', 'no']));
  });

  test('shows the table of modes', () => {
    const rows = MODES.map((mode) => [mode, ...MODES.map((other) => (conflicts(mode, other) ? 'no' : ''))]);
    const [head, , ...shown] = tableAfter('in two modes that exclude each other:');
    expect(head).toEqual(['', ...MODES]);
    expect(shown).toEqual(rows);
  });

  test('shows the nodes of its example', () => {
    const nodes = claimSet(
      spec({ branch: 'fix', write: ['src/auth/**', 'package.json'], read: ['src/db/schema.ts'] }),
    ).map((node) => [resourceOf(node), node.mode]);
    expect(tableAfter('is these nodes:').slice(2)).toEqual(nodes);
  });

  test('names the number of nodes beyond which a claim is widened', () => {
    expect(docText('claims.md')).toContain(`more than ${MAX_NODES.toLocaleString('en')} nodes`);
  });
});
