import { describe, expect, it } from 'vitest';
import * as edits from '../../../scripts/demo/edits.ts';

describe('the edits of the demo', () => {
  it('sort the first level of a JSON object only', () => {
    expect(edits.sortKeys('{"b":{"z":1,"a":2},"a":1}')).toBe(
      '{\n  "a": 1,\n  "b": {\n    "z": 1,\n    "a": 2\n  }\n}\n',
    );
  });

  it('raise the last number of a version', () => {
    expect(edits.bumpVersion('{ "version": "0.1.9" }')).toBe('{ "version": "0.1.10" }');
  });

  it('add a header once, in the language of the file', () => {
    const once = edits.addHeader('a.lua', 'return 1\n');
    expect(once).toBe('-- SPDX-License-Identifier: MIT\nreturn 1\n');
    expect(edits.addHeader('a.lua', once)).toBe(once);
    expect(edits.addHeader('a.ts', 'x')).toMatch(/^\/\/ SPDX/);
  });

  it('rename whole words', () => {
    expect(edits.renameIdentifier('clock(clocks, myclock)', { from: 'clock', to: 'watch' })).toBe(
      'watch(clocks, myclock)',
    );
  });

  it('normalise blanks', () => {
    expect(edits.normaliseBlanks('a  \r\nb\t\n\n\n')).toBe('a\nb\n');
  });

  it('add a table of contents below the title', () => {
    expect(edits.addContents('# T\n\ntext\n\n## The `one`\n')).toBe(
      '# T\n\n- [The one](#the-one)\n\ntext\n\n## The `one`\n',
    );
  });

  it('list files, count lines and collect notes', () => {
    const files = new Map([
      ['src/a/x.ts', 'one\n// TODO: two\n'],
      ['src/a/y.ts', 'three\n'],
    ]);
    expect(edits.listFiles([...files.keys()])).toContain('- src/a/y.ts\n');
    expect(edits.countLines(files)).toContain('| src/a | 3 |');
    expect(edits.collectNotes(files)).toContain('- src/a/x.ts:2 // TODO: two\n');
    expect(edits.collectNotes(new Map())).toContain('None.');
  });
});
