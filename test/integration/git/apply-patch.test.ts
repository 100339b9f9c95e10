import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { savePatch, writePatch } from '../../../src/git/changes.ts';
import { applyPatch } from '../../../src/git/check-out.ts';
import { snapshot } from '../../../src/git/snapshot.ts';
import { advance, by, FILES, type Fixture, fixture, startRun, write } from './support.ts';

const BINARY = Buffer.from([0, 1, 2, 255, 0, 10, 13, 200]);

/** The patch that a run leaves behind after `work` in its checkout. */
async function patchOf(room: Fixture, work: (dir: string) => void): Promise<string> {
  const { workspace } = await startRun(room, 'task/one');
  work(workspace.dir);
  const file = join(room.root, 'saved.patch');
  await savePatch(room.git, { dir: workspace.dir, file });
  rmSync(workspace.dir, { recursive: true });
  return file;
}

const status = (dir: string) => by(dir, 'status', '--porcelain', '--untracked-files=all', '--no-renames').split('\n');

describe('applying a patch', () => {
  it('gives the index and the files what the other run had, and the next snapshot commits it', async () => {
    const room = await fixture({ ...FILES, 'image.bin': BINARY, gone: 'g', 'crlf.txt': 'a\r\nb\r\n' });
    const file = await patchOf(room, (dir) => {
      rmSync(join(dir, 'gone'));
      write(dir, { 'image.bin': Buffer.concat([BINARY, BINARY]), 'odd\nname "ü"': 'odd', 'crlf.txt': 'a\r\nc\r\n' });
    });
    const { workspace } = await startRun(room, 'task/one');
    const { dir } = workspace;
    expect(await applyPatch(room.git, { dir, file })).toBe(true);
    expect(status(dir)).toEqual(['M  crlf.txt', 'D  gone', 'M  image.bin', 'A  "odd\\nname \\"\\303\\274\\""']);
    expect(readFileSync(join(dir, 'image.bin'))).toEqual(Buffer.concat([BINARY, BINARY]));
    const { commit } = await snapshot(room.git, { dir, message: 'applied' });
    const again = join(room.root, 'again.patch');
    await writePatch(room.git, { dir, from: room.first, to: commit ?? '', file: again });
    expect(readFileSync(again, 'utf8')).toBe(readFileSync(file, 'utf8'));
  });

  it('merges it where base has changed around it', async () => {
    const lines = (first: string, last: string) => `${first}\n${'between\n'.repeat(8)}${last}\n`;
    const room = await fixture({ 'a.txt': lines('1', '2') });
    const file = await patchOf(room, (dir) => write(dir, { 'a.txt': lines('ours', '2'), 'new.txt': 'n\n' }));
    advance(room, { 'a.txt': lines('1', 'theirs') });
    const { workspace } = await startRun(room, 'task/one');
    expect(await applyPatch(room.git, { dir: workspace.dir, file })).toBe(true);
    expect(readFileSync(join(workspace.dir, 'a.txt'), 'utf8')).toBe(lines('ours', 'theirs'));
    expect(status(workspace.dir)).toEqual(['M  a.txt', 'A  new.txt']);
  });

  const misfits: [string, (room: Fixture, file: string) => void][] = [
    ['base has changed the same lines', (room) => advance(room, { 'src/auth/login.ts': 'theirs\n' })],
    [
      'base has deleted a file of it',
      (room) => {
        by(room.person, 'rm', '--quiet', 'src/auth/login.ts');
        by(room.person, 'commit', '--quiet', '-m', 'deleted');
        by(room.person, 'push', '--quiet', 'origin', 'main');
      },
    ],
    ['base has another file in the place of a new one', (room) => advance(room, { 'new.txt': 'theirs\n' })],
    ['it was cut off', (_, file) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, -20))],
    ['it is no patch', (_, file) => writeFileSync(file, 'rubbish\n')],
    ['it is empty', (_, file) => writeFileSync(file, '')],
    [
      'it reaches out of the repository',
      (_, file) => writeFileSync(file, readFileSync(file, 'utf8').replaceAll('new.txt', '../new.txt')),
    ],
  ];
  it.each(misfits)('takes nothing of it when %s', async (_, spoil) => {
    const room = await fixture();
    const file = await patchOf(room, (dir) =>
      write(dir, { 'docs/guide.md': 'ours\n', 'new.txt': 'n\n', 'src/auth/login.ts': 'ours\n' }),
    );
    spoil(room, file);
    const { workspace } = await startRun(room, 'task/one');
    const before = by(workspace.dir, 'ls-files', '--stage');
    expect(await applyPatch(room.git, { dir: workspace.dir, file })).toBe(false);
    expect(status(workspace.dir)).toEqual(['']);
    expect(by(workspace.dir, 'ls-files', '--stage')).toBe(before);
    expect(readFileSync(join(workspace.dir, 'docs/guide.md'), 'utf8')).toBe('guide\n');
    expect(existsSync(join(workspace.dir, '..', 'new.txt'))).toBe(false);
  });

  it('takes nothing of it when an untracked file is in the way', async () => {
    const room = await fixture();
    const file = await patchOf(room, (dir) => write(dir, { 'docs/guide.md': 'ours\n', 'new.txt': 'n\n' }));
    const { workspace } = await startRun(room, 'task/one');
    write(workspace.dir, { 'new.txt': 'mine\n' });
    expect(await applyPatch(room.git, { dir: workspace.dir, file })).toBe(false);
    expect(status(workspace.dir)).toEqual(['?? new.txt']);
    expect(readFileSync(join(workspace.dir, 'new.txt'), 'utf8')).toBe('mine\n');
  });

  it('writes what it changes outside a claimed checkout, too, and nothing else', async () => {
    const room = await fixture();
    const file = await patchOf(room, (dir) => write(dir, { 'src/db/schema.ts': 'ours\n', 'src/auth/new.ts': 'n\n' }));
    const { workspace } = await startRun(room, 'task/one', ['docs']);
    const { dir } = workspace;
    expect(await applyPatch(room.git, { dir, file })).toBe(true);
    expect(readFileSync(join(dir, 'src/db/schema.ts'), 'utf8')).toBe('ours\n');
    expect(readFileSync(join(dir, 'src/auth/new.ts'), 'utf8')).toBe('n\n');
    expect(existsSync(join(dir, 'src/auth/login.ts'))).toBe(false);
    const { filesChanged } = await snapshot(room.git, { dir, message: 'applied' });
    expect(filesChanged).toEqual(['src/auth/new.ts', 'src/db/schema.ts']);
  });

  it('is an error when the file is missing', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    const missing = applyPatch(room.git, { dir: workspace.dir, file: join(room.root, 'none.patch') });
    await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
