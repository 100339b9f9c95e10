import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { savePatch, writePatch } from '../../../src/git/changes.ts';
import { snapshot } from '../../../src/git/snapshot.ts';
import { by, commitAll, fixture, startRun, write } from './support.ts';

const BINARY = Buffer.from([0, 1, 2, 255, 0, 10, 13, 200]);

describe('a patch', () => {
  it('applies to the start commit and gives the same tree, with binary and oddly named files', async () => {
    const room = await fixture({ 'image.bin': BINARY, 'text.txt': 'a\nb\n', 'crlf.txt': 'a\r\nb\r\n', gone: 'x' });
    const { workspace } = await startRun(room, 'task/one');
    write(workspace.dir, {
      'image.bin': Buffer.concat([BINARY, BINARY]),
      'new.bin': Buffer.from([...BINARY].toReversed()),
      'odd\nname "ü"': 'odd',
      'text.txt': 'a\nc',
      'crlf.txt': 'a\r\nc\r\n',
    });
    rmSync(join(workspace.dir, 'gone'));
    const { commit } = await snapshot(room.git, { dir: workspace.dir, message: 'work' });
    const file = join(room.root, 'task.patch');
    const bytes = await writePatch(room.git, { dir: workspace.dir, from: room.first, to: commit ?? '', file });
    expect(bytes).toBe(readFileSync(file).length);
    by(room.person, 'apply', '--binary', '--index', file);
    expect(by(room.person, 'write-tree')).toBe(by(workspace.dir, 'rev-parse', `${commit}^{tree}`));
  });

  it('of a workspace holds what is committed, staged, changed and new', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one', ['docs']);
    write(workspace.dir, { 'committed.txt': '1' });
    commitAll(workspace.dir);
    write(workspace.dir, { 'staged.bin': BINARY, 'docs/guide.md': 'changed\n', 'src/outside.ts': 'new\n' });
    by(workspace.dir, 'add', 'staged.bin');
    const file = join(room.root, 'saved.patch');
    expect(await savePatch(room.git, { dir: workspace.dir, file })).toBeGreaterThan(0);
    by(room.person, 'apply', '--binary', '--index', file);
    const changed = ['committed.txt', 'docs/guide.md', 'src/outside.ts', 'staged.bin'];
    expect(by(room.person, 'diff', '--cached', '--name-only').split('\n')).toEqual(changed);
    expect(readFileSync(join(room.person, 'staged.bin'))).toEqual(BINARY);
  });

  it('of an unchanged workspace is empty', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one', ['docs']);
    expect(await savePatch(room.git, { dir: workspace.dir, file: join(room.root, 'saved.patch') })).toBe(0);
  });

  const damages: [string, (dir: string) => void][] = [
    ['.git was deleted', (dir) => rmSync(join(dir, '.git'), { recursive: true })],
    ['the index is broken', (dir) => write(dir, { '.git/index': 'rubbish' })],
    ['history was rewritten', (dir) => by(dir, 'commit', '--quiet', '--amend', '-m', 'other')],
    [
      'a repository was put inside the repository',
      (dir) => {
        write(dir, { 'sub/file': 'x' });
        by(join(dir, 'sub'), 'init', '--quiet');
        commitAll(join(dir, 'sub'));
      },
    ],
  ];
  it.each(damages)('saves what is there when %s', async (_, damage) => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one', ['docs']);
    write(workspace.dir, { 'docs/guide.md': 'changed\n', 'new.txt': 'new\n' });
    damage(workspace.dir);
    const file = join(room.root, 'saved.patch');
    expect(await savePatch(room.git, { dir: workspace.dir, file })).toBeGreaterThan(0);
    by(room.person, 'apply', '--binary', '--index', file);
    expect(by(room.person, 'diff', '--cached', '--name-only')).toBe('docs/guide.md\nnew.txt');
  });
});
