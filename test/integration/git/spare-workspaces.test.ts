import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Mirror } from '../../../src/git/mirror.ts';
import { type Spare, type SpareOptions, SpareWorkspaces, sparesDir } from '../../../src/git/spare-workspaces.ts';
import { checkOutFiles, nameRefs, proveWorkspace, type Workspace } from '../../../src/git/workspace.ts';
import { removeWorkspace } from '../../../src/git/workspaces.ts';
import { canMount, SmallDisk } from '../../support/system/small-disk.ts';
import { advance, by, FILES, type Fixture, fixture, startRun } from './support.ts';

/** Spares of a repository whose checkouts are worth it at once. */
async function spares(options: Partial<SpareOptions> = {}) {
  const room = await fixture({ ...FILES, '.gitignore': 'node_modules/\n' });
  const kept = new SpareWorkspaces({ dataDir: room.dataDir, worthMs: 10, ...options });
  onTestFinished(async () => await kept.stop());
  const folders = (): string[] => (existsSync(sparesDir(room.dataDir)) ? readdirSync(sparesDir(room.dataDir)) : []);
  return { room, kept, folders };
}

async function made({ room, kept }: { room: Fixture; kept: SpareWorkspaces }): Promise<Spare> {
  kept.ready(room.mirror, { oid: room.first, tookMs: 10 });
  const spare = await kept.take(room.mirror);
  if (spare === undefined) throw new Error('there is no spare');
  return spare;
}

/** A run that takes the files of a spare. */
async function takenBy({ root, mirror }: Fixture, spare: Spare, startOid: string): Promise<Workspace> {
  const request = { mirror, dir: join(root, 'run'), branch: 'task/next', checkout: 'full', startOid } as const;
  const workspace = await checkOutFiles(request, spare.workspace);
  await spare[Symbol.asyncDispose]();
  await nameRefs(mirror, workspace);
  return workspace;
}

describe('a spare workspace', () => {
  it('becomes the workspace of a run that starts elsewhere: what is the same is not written again', async () => {
    const all = await spares();
    const { room } = all;
    const spare = await made(all);
    const writtenAt = (dir: string, file: string): bigint => statSync(join(dir, file), { bigint: true }).ctimeNs;
    const [same, changed] = ['src/db/schema.ts', 'README.md'].map((file) => writtenAt(spare.workspace.dir, file));
    const second = advance(room, { 'README.md': 'read me again\n', 'src/new.ts': 'new\n' });
    await room.mirror.fetch();
    const workspace = await takenBy(room, spare, second);
    await proveWorkspace(room.mirror, workspace);
    expect(writtenAt(workspace.dir, 'src/db/schema.ts')).toBe(same);
    expect(writtenAt(workspace.dir, 'README.md')).not.toBe(changed);
    const fresh = (await startRun(room, 'task/fresh')).workspace;
    for (const file of [...Object.keys(FILES), 'src/new.ts', '.git/config', '.git/objects/info/alternates'])
      expect(readFileSync(join(workspace.dir, file), 'utf8'), file).toBe(readFileSync(join(fresh.dir, file), 'utf8'));
    expect(by(workspace.dir, 'status', '--porcelain', '--branch')).toBe('## task/next');
    expect(by(workspace.dir, 'rev-parse', 'HEAD')).toBe(second);
    expect(all.folders()).toEqual([]);
  });

  it('brings along nothing that a step of another task has put into it', async () => {
    const all = await spares();
    const { room } = all;
    for (const plant of [
      (dir: string) => writeFileSync(join(dir, 'untracked'), ''),
      (dir: string) => by(dir, 'clone', '--quiet', room.remote, 'node_modules'),
    ]) {
      const spare = await made(all);
      plant(spare.workspace.dir);
      const workspace = await takenBy(room, spare, room.first);
      await expect(proveWorkspace(room.mirror, workspace)).rejects.toMatchObject({ code: 'WORKSPACE' });
      await removeWorkspace(workspace.dir);
    }
    const spare = await made(all);
    // Of the same length, so that only its times tell.
    writeFileSync(join(spare.workspace.dir, 'README.md'), 'READ ME\n');
    for (const dir of [join(spare.workspace.dir, '.git'), `${spare.workspace.dir}.git`])
      appendFileSync(join(dir, 'config'), '[core]\n\tfsmonitor = touch sprung\n');
    const workspace = await takenBy(room, spare, room.first);
    await proveWorkspace(room.mirror, workspace);
    expect(readFileSync(join(workspace.dir, 'README.md'), 'utf8')).toBe(FILES['README.md']);
    for (const dir of [join(workspace.dir, '.git'), `${workspace.dir}.git`])
      expect(readFileSync(join(dir, 'config'), 'utf8')).not.toContain('sprung');
  });

  it('is made one at a time and one a repository, where checkouts take long', async () => {
    const { room, kept, folders } = await spares();
    kept.ready(room.mirror, { oid: room.first, tookMs: 9 });
    expect(await kept.take(room.mirror)).toBeUndefined();
    for (let i = 0; i < 3; i += 1) kept.ready(room.mirror, { oid: room.first, tookMs: 10 });
    const spare = await kept.take(room.mirror);
    expect(folders()).toHaveLength(1);
    await spare?.[Symbol.asyncDispose]();
    expect(await kept.take(room.mirror)).toBeUndefined();
    // One that was taken is no proof that the next would be fast.
    kept.ready(room.mirror, { oid: room.first, tookMs: 0 });
    expect(await kept.take(room.mirror)).toBeDefined();
  });

  it('is made for four repositories and no more', async () => {
    const { room, kept, folders } = await spares();
    // Only their folders tell the mirrors of several repositories apart.
    const mirrors = Array.from({ length: 5 }, (_, i) => ({ ...room.mirror, dir: join(room.root, `mirror-${i}`) }));
    for (const { dir } of mirrors) symlinkSync(room.mirror.dir, dir);
    const whole = () =>
      folders().filter((name) => existsSync(join(sparesDir(room.dataDir), name, 'workspace.git/index')));
    const [one, , , , fifth] = mirrors as [Mirror, Mirror, Mirror, Mirror, Mirror];
    for (const [i, mirror] of mirrors.slice(0, 4).entries()) {
      await vi.waitFor(() => {
        // Again and again: the one before may be whole a moment before it counts as made.
        kept.ready(mirror, { oid: room.first, tookMs: 10 });
        expect(whole()).toHaveLength(i + 1);
      }, 10_000);
    }
    for (let look = 0; look < 20; look += 1) {
      kept.ready(fifth, { oid: room.first, tookMs: 10 });
      expect(await kept.take(fifth)).toBeUndefined();
      await delay(25);
    }
    expect(await kept.take(one)).toBeDefined();
    kept.ready(fifth, { oid: room.first, tookMs: 10 });
    expect(await kept.take(fifth)).toBeDefined();
  });

  it.runIf(canMount())('is not made where little of the disk is free', async () => {
    const { room, kept, folders } = await spares();
    const disk = join(room.root, 'disk');
    mkdirSync(disk);
    using small = new SmallDisk(disk, 1_048_576);
    // What is made lies on the disk of the mirrors.
    const mirror = { ...room.mirror, dir: join(disk, 'mirror.git') };
    cpSync(room.mirror.dir, mirror.dir, { recursive: true });
    small.fill();
    kept.ready(mirror, { oid: room.first, tookMs: 10 });
    expect(await kept.take(mirror)).toBeUndefined();
    small.makeRoom();
    kept.ready(mirror, { oid: room.first, tookMs: 10 });
    expect(await kept.take(mirror)).toBeDefined();
    expect(folders()).toHaveLength(1);
  });

  it('that is still being made keeps nobody who is told to stop, and goes', async () => {
    const { room, kept, folders } = await spares();
    kept.ready(room.mirror, { oid: room.first, tookMs: 10 });
    const cancel = new AbortController();
    const taking = kept.take(room.mirror, cancel.signal);
    cancel.abort(new Error('enough'));
    await expect(taking).rejects.toThrow('enough');
    await kept.stop();
    await vi.waitFor(() => expect(folders()).toEqual([]), { timeout: 10_000 });
  });

  it('that cannot be made is none', async () => {
    const { room, kept, folders } = await spares();
    kept.ready(room.mirror, { oid: '0123456789'.repeat(4), tookMs: 10 });
    expect(await kept.take(room.mirror)).toBeUndefined();
    expect(folders()).toEqual([]);
  });

  it('goes when nobody comes for it, and with its worker', async () => {
    const { room, kept, folders } = await spares({ keepMs: 300 });
    kept.ready(room.mirror, { oid: room.first, tookMs: 10 });
    await vi.waitFor(() => expect(folders()).toHaveLength(1));
    await vi.waitFor(() => expect(folders()).toEqual([]), { timeout: 10_000 });
    kept.ready(room.mirror, { oid: room.first, tookMs: 10 });
    await kept.stop();
    expect(folders()).toEqual([]);
    kept.ready(room.mirror, { oid: room.first, tookMs: 10 });
    expect(await kept.take(room.mirror)).toBeUndefined();
  });
});
