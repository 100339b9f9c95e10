import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createMirrors } from '../../../src/git/mirror.ts';
import { LOOSE_REFS_AT_MOST, PACKS_AT_MOST, tidy, untidyOf } from '../../../src/git/mirror-upkeep.ts';
import { withProcessLock } from '../../../src/git/process-lock.ts';
import { removeMirror, unusedMirrors } from '../../../src/git/unused-mirrors.ts';
import { proveWorkspace } from '../../../src/git/workspace.ts';
import { by, type Fixture, fixture, startRun, tempDir } from './support.ts';

const packsIn = (dir: string) => readdirSync(join(dir, 'objects/pack')).filter((name) => name.endsWith('.pack'));

const looseIn = (dir: string) =>
  readdirSync(join(dir, 'objects'))
    .filter((name) => name.length === 2)
    .flatMap((name) => readdirSync(join(dir, 'objects', name)));

/** An object that no ref names, in a pack of its own. */
function addPack({ mirror, person }: Fixture, text: string): string {
  const oid = execFileSync('git', ['hash-object', '-w', '--stdin'], {
    cwd: person,
    input: text,
    encoding: 'utf8',
  }).trim();
  execFileSync('git', ['pack-objects', '-q', join(mirror.dir, 'objects/pack/pack')], {
    cwd: person,
    input: `${oid}\n`,
  });
  return oid;
}

describe('a mirror that has gathered much', () => {
  it('is tidied after a fetch, and keeps what no ref names', async () => {
    const room = await fixture();
    const oids = Array.from({ length: PACKS_AT_MOST + 1 }, (_, i) => addPack(room, `unnamed ${i}`));
    expect(await untidyOf(room.mirror.dir)).toBe('all');
    await room.mirror.fetch();
    await vi.waitFor(() => expect(packsIn(room.mirror.dir).length).toBeLessThan(5), { timeout: 60_000 });
    // Whoever has the lock next finds it done.
    await withProcessLock(`${room.mirror.dir}.lock`, async () => {});
    expect(await untidyOf(room.mirror.dir)).toBeUndefined();
    for (const oid of oids) expect(by(room.mirror.dir, 'cat-file', '-t', oid)).toBe('blob');
  });

  it('has its loose objects and its refs put together while a checkout borrows from it', async () => {
    const room = await fixture();
    const { workspace } = await startRun(room, 'task/one');
    const loose = execFileSync('git', ['hash-object', '-w', '--stdin'], {
      cwd: room.mirror.dir,
      input: 'nobody names it',
      encoding: 'utf8',
    }).trim();
    expect(looseIn(room.mirror.dir)).toContain(loose.slice(2));
    await tidy(room.git, room.mirror.dir, { untidy: 'all' });
    expect(looseIn(room.mirror.dir)).toEqual([]);
    expect(by(room.mirror.dir, 'cat-file', '-p', loose)).toBe('nobody names it');
    expect(existsSync(join(room.mirror.dir, 'refs/heads/main'))).toBe(false);
    expect(await room.mirror.resolve('refs/heads/main')).toBe(room.first);
    await proveWorkspace(room.mirror, workspace);
    expect(by(workspace.dir, 'fsck', '--connectivity-only', '--no-dangling')).toBe('');
  });

  it('has its refs alone put together when there are many of them, at the fetch that brings them', async () => {
    const room = await fixture();
    const loose = by(room.mirror.dir, 'hash-object', '-w', '--stdin');
    const branches = Array.from({ length: LOOSE_REFS_AT_MOST }, (_, i) => `topic/${i}`);
    for (const branch of branches) by(room.person, 'branch', '--no-track', branch, room.first);
    by(room.person, 'push', '--quiet', '--all', 'origin');
    await room.mirror.fetch();
    await vi.waitFor(() => expect(existsSync(join(room.mirror.dir, 'refs/heads/topic/0'))).toBe(false), {
      timeout: 60_000,
    });
    await withProcessLock(`${room.mirror.dir}.lock`, async () => {});
    expect(await untidyOf(room.mirror.dir)).toBeUndefined();
    for (const branch of branches) expect(await room.mirror.resolve(`refs/heads/${branch}`)).toBe(room.first);
    expect(looseIn(room.mirror.dir)).toContain(loose.slice(2));
  });

  it('loses what a killed git left half written once it is old, also where that keeps git from repacking', async () => {
    const room = await fixture();
    const oids = ['one', 'two'].map((text) => addPack(room, text));
    const objects = join(room.mirror.dir, 'objects');
    mkdirSync(join(objects, '17'), { recursive: true });
    mkdirSync(join(objects, 'tmp_objdir-incoming-AbCdEf/pack'), { recursive: true });
    const left = [
      'pack/tmp_pack_AbCdEf',
      'pack/.tmp-99-pack-0123.pack',
      'pack/.tmp-99-pack-0123.idx',
      '17/tmp_obj_AbCdEf',
    ];
    for (const name of left) writeFileSync(join(objects, name), 'half', { mode: 0o444 });
    const all = [...left, 'tmp_objdir-incoming-AbCdEf'];
    expect(await untidyOf(room.mirror.dir)).toBeUndefined();
    // Whether git can work beside such files differs; they may be somebody's who is at it.
    await tidy(room.git, room.mirror.dir, { untidy: 'all' }).catch(() => {});
    expect(all.filter((name) => !existsSync(join(objects, name)))).toEqual([]);
    const longAgo = new Date(Date.now() - 3 * 3_600_000);
    for (const name of all) utimesSync(join(objects, name), longAgo, longAgo);
    expect(await untidyOf(room.mirror.dir)).toBe('all');
    await room.mirror.fetch();
    await vi.waitFor(() => expect(all.filter((name) => existsSync(join(objects, name)))).toEqual([]), {
      timeout: 60_000,
    });
    await withProcessLock(`${room.mirror.dir}.lock`, async () => {});
    expect(await untidyOf(room.mirror.dir)).toBeUndefined();
    for (const oid of oids) expect(by(room.mirror.dir, 'cat-file', '-t', oid)).toBe('blob');
    expect(by(room.mirror.dir, 'count-objects', '-v')).toContain('garbage: 0');
  });

  it('is told by a sample of its loose objects, as git does', async () => {
    const dir = tempDir();
    const sample = join(dir, 'objects/17');
    mkdirSync(sample, { recursive: true });
    for (let i = 0; i < 16; i++) writeFileSync(join(sample, String(i)), '');
    expect(await untidyOf(dir)).toBeUndefined();
    writeFileSync(join(sample, '16'), '');
    expect(await untidyOf(dir)).toBe('all');
  });
});

describe('a mirror that is not used', () => {
  const age = ({ mirror }: Fixture, date: Date) => utimesSync(`${mirror.dir}.lock`, date, date);
  const longAgo = new Date(Date.now() - 86_400_000);
  const before = new Date(Date.now() - 3_600_000);

  it('is removed once it has not been opened for long, and made again by whoever needs it', async () => {
    const room = await fixture();
    expect(await unusedMirrors(room.dataDir, before)).toEqual([]);
    expect(await removeMirror(room.mirror.dir, before)).toBe(false);
    age(room, longAgo);
    expect(await unusedMirrors(room.dataDir, before)).toEqual([room.mirror.dir]);
    expect(await removeMirror(room.mirror.dir, before)).toBe(true);
    expect(readdirSync(join(room.dataDir, 'mirrors')).filter((name) => !name.endsWith('.lock'))).toEqual([]);
    // One who had it open meets its end in the middle of a run.
    await room.mirror.fetch();
    expect(await room.mirror.resolve('refs/heads/main')).toBe(room.first);
  });

  it('counts as used when it is opened', async () => {
    const room = await fixture();
    age(room, longAgo);
    const mirrors = createMirrors({ git: room.git, dataDir: room.dataDir });
    const { dir } = await mirrors.open({ key: room.key, url: room.mirror.url });
    expect(dir).toBe(room.mirror.dir);
    expect(await unusedMirrors(room.dataDir, before)).toEqual([]);
    expect(await removeMirror(dir, before)).toBe(false);
  });

  it('stays while a checkout borrows its objects', async () => {
    const room = await fixture();
    const borrower = join(room.dataDir, 'runs/someone/workspace.git/objects/info');
    mkdirSync(borrower, { recursive: true });
    writeFileSync(join(borrower, 'alternates'), `${join(room.mirror.dir, 'objects')}\n/elsewhere\n`);
    age(room, longAgo);
    expect(await unusedMirrors(room.dataDir, before)).toEqual([]);
  });
});
