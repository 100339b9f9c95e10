import { describe, expect, it } from 'vitest';
import { isLooseCommit, objectFormat, writeCommit, writeEmptyTree } from '../../../src/git/objects.ts';
import { by, tempDir } from './support.ts';

describe.each(['sha1', 'sha256'] as const)('an object that is written without git, by %s', (format) => {
  it('is what git would have written', async () => {
    const dir = tempDir();
    by(dir, 'init', '--quiet', '--bare', `--object-format=${format}`, '.');
    expect(await objectFormat(dir)).toBe(format);
    const tree = await writeEmptyTree(dir, format);
    const at = new Date('2026-01-02T03:04:05Z');
    const author = { name: 'Signalbox', email: 'signalbox@localhost' };
    const first = await writeCommit(dir, format, { tree, parents: [], author, at, message: 'token\n\nA: 1\n' });
    const second = await writeCommit(dir, format, { tree, parents: [first], author, at, message: 'zwölf\n' });
    expect(await writeCommit(dir, format, { tree, parents: [first], author, at, message: 'zwölf\n' })).toBe(second);
    expect(by(dir, 'log', '--format=%H %an <%ae> %ct %s', second).split('\n')).toEqual([
      `${second} Signalbox <signalbox@localhost> ${at.getTime() / 1_000} zwölf`,
      `${first} Signalbox <signalbox@localhost> ${at.getTime() / 1_000} token`,
    ]);
    expect(by(dir, 'fsck', '--strict', '--no-dangling', second)).toBe('');
    expect(await isLooseCommit(dir, second)).toBe(true);
    expect(await isLooseCommit(dir, tree)).toBe(false);
    expect(await isLooseCommit(dir, first.replace(/./g, '0'))).toBe(false);
  });
});
