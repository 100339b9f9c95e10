import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChainLink } from '../../../../src/server/page/api/shapes.ts';
import { PLAIN, spansOf } from '../../../../src/server/page/task/ansi.ts';
import { chainLayout } from '../../../../src/server/page/task/chain.ts';
import { diffFiles } from '../../../../src/server/page/task/diff-files.ts';
import { LogLines } from '../../../../src/server/page/task/log-lines.ts';
import { piecesOf } from '../../../../src/server/page/task/pieces.ts';
import { sharesOf } from '../../../../src/server/page/task/shares.ts';

const ID = 'tx9n4t3-0000000g-j78psg';

describe('a sentence of explain', () => {
  it('has its commands, ids and times apart', () => {
    const text = `Held by ${ID} since 2026-11-27T22:50:45.609Z: \`signalbox cancel ${ID}\`.`;
    expect(piecesOf(text)).toEqual([
      { kind: 'text', text: 'Held by ' },
      { kind: 'task', text: ID },
      { kind: 'text', text: ' since ' },
      { kind: 'time', text: '2026-11-27T22:50:45.609Z' },
      { kind: 'text', text: ': ' },
      { kind: 'code', text: `signalbox cancel ${ID}` },
      { kind: 'text', text: '.' },
    ]);
  });

  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const whole = piecesOf(text).map(({ kind, text: piece }) => (kind === 'code' ? `\`${piece}\`` : piece));
        expect(whole.join('')).toBe(text);
      }),
    );
  });
});

describe('output with colours', () => {
  it('keeps its colours and drops all else that steers', () => {
    const { spans, after } = spansOf('\x1b[1;31mred\x1b[0m plain \x1b]0;title\x07\x1b[2Kend\x1b[32m', PLAIN);
    expect(spans).toEqual([
      { text: 'red', look: 'is-bold fg-1' },
      { text: ' plain ', look: '' },
      { text: 'end', look: '' },
    ]);
    expect(after.fg).toBe(2);
  });

  it('shows of a line that was written over only the last', () => {
    expect(spansOf('10 %\r50 %\r100 %\r', PLAIN).spans).toEqual([{ text: '100 %', look: '' }]);
  });

  it('never lets a control character through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (line) => {
        const shown = spansOf(line.replaceAll('\n', ''), PLAIN)
          .spans.map(({ text }) => text)
          .join('');
        expect(shown).not.toMatch(/[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/);
      }),
    );
  });
});

describe('a log', () => {
  it('is the same however it is cut on its way', () => {
    const text = 'one\ntwo \x1b[32mgreen\nthree\x1b[0m\nfour';
    const whole = new LogLines(100);
    whole.add(text);
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), (a, b) => {
        const cut = new LogLines(100);
        for (const part of [
          text.slice(0, Math.min(a, b)),
          text.slice(Math.min(a, b), Math.max(a, b)),
          text.slice(Math.max(a, b)),
        ]) {
          cut.add(part);
        }
        expect(cut.all()).toEqual(whole.all());
      }),
    );
    expect(whole.all().map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(whole.all()[2]?.spans).toEqual([{ text: 'three', look: 'fg-2' }]);
  });

  it('keeps only its newest lines and says how many are gone', () => {
    const log = new LogLines(3);
    for (let i = 1; i <= 10; i += 1) log.add(`line ${i}\n`);
    expect(log.all().map(({ number }) => number)).toEqual([8, 9, 10]);
    expect(log.dropped).toBe(7);
    const before = log.all();
    log.add('line 11\n');
    expect(before.map(({ number }) => number)).toEqual([8, 9, 10]);
  });
});

describe('a chain of waits', () => {
  const link = (taskId: string, holderTaskId: string | null): ChainLink => ({
    ...{ taskId, holderTaskId, resource: 'path:src', mode: 'write', kind: 'run', since: null },
  });

  it('has each holder behind all that wait for it', () => {
    const { nodes, columns, rows } = chainLayout([link('a', 'b'), link('b', 'c'), link('d', 'c'), link('a', 'c')]);
    const column = Object.fromEntries(nodes.map((node) => [node.id, node.column]));
    expect(column).toEqual({ a: 0, b: 1, c: 2, d: 0 });
    expect([columns, rows]).toEqual([3, 2]);
  });

  it('ends where it would come back to itself', () => {
    const { nodes, edges } = chainLayout([link('a', 'b'), link('b', 'a')]);
    expect(nodes.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(edges).toHaveLength(2);
  });
});

describe('the shares of phases', () => {
  it('add up to one, and none is too narrow to be read', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 5 }), (lengths) => {
        const shares = sharesOf(lengths);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
        expect(Math.min(...shares)).toBeGreaterThan(0.05);
      }),
    );
  });
});

describe('a diff', () => {
  it('is files with rows, whose text is as it was written', () => {
    const patch = `diff --git a/src/<b>.ts b/src/<b>.ts
index 111..222 100644
--- a/src/<b>.ts
+++ b/src/<b>.ts
@@ -1,2 +1,2 @@ function x() {
 same
-<script>alert(1)</script>
+&amp;
diff --git a/old.ts b/new.ts
similarity index 100%
rename from old.ts
rename to new.ts
diff --git a/gone.ts b/gone.ts
deleted file mode 100644
--- a/gone.ts
+++ /dev/null
@@ -1 +0,0 @@
-bye
`;
    const [first, renamed, gone] = diffFiles(patch);
    expect(first).toMatchObject({ name: 'src/<b>.ts', added: 1, deleted: 1, note: undefined });
    expect(first?.rows).toEqual([
      { kind: 'hunk', old: undefined, new: undefined, text: '@@ -1,2 +1,2 @@ function x() {' },
      { kind: 'context', old: 1, new: 1, text: 'same' },
      { kind: 'delete', old: 2, new: undefined, text: '<script>alert(1)</script>' },
      { kind: 'insert', old: undefined, new: 2, text: '&amp;' },
    ]);
    expect(renamed).toMatchObject({ name: 'new.ts', oldName: 'old.ts', note: 'renamed' });
    expect(gone).toMatchObject({ name: 'gone.ts', note: 'deleted', deleted: 1 });
  });
});
