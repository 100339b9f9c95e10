/** What a task plants in its workspace never runs in Signalbox. Each bait writes a file when it is run. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { savePatch, writePatch } from '../../../src/git/changes.ts';
import { applyPatch, checkOut } from '../../../src/git/check-out.ts';
import { landCommit, readBase } from '../../../src/git/land.ts';
import { publishBranch } from '../../../src/git/publisher.ts';
import { rebaseOnto } from '../../../src/git/rebase.ts';
import { snapshot } from '../../../src/git/snapshot.ts';
import { BY_LEASE, by, commitAll, type Fixture, fixture, type Run, startRun, tipOf, write } from './support.ts';

interface Bait {
  /** Makes a command that leaves the mark, for configuration. */
  readonly command: string;
  readonly sprung: () => boolean;
  readonly reset: () => void;
}

function bait(room: Fixture): Bait {
  const mark = join(room.root, 'sprung');
  const command = join(room.root, 'bait.sh');
  writeFileSync(command, `#!/bin/sh\ntouch '${mark}'\n`);
  chmodSync(command, 0o755);
  return { command, sprung: () => existsSync(mark), reset: () => rmSync(mark, { force: true }) };
}

/** Everything that Signalbox does with a workspace after a step has run in it. */
async function goThrough(room: Fixture, { workspace, start }: Run) {
  const { dir, branch } = workspace;
  const taken = await snapshot(room.git, { dir, message: 'it', trailers: { 'Signalbox-Task': 'T' } });
  const commit = taken.commit ?? start.startOid;
  await writePatch(room.git, { dir, from: start.startOid, to: commit, file: join(room.root, 'a.patch') });
  const result = await publishBranch(room.mirror, {
    fence: BY_LEASE,
    workspaceDir: dir,
    commit,
    branch,
    expectedTip: start.branchTip,
  });
  await savePatch(room.git, { dir, file: join(room.root, 'b.patch') });
  return { ...taken, result };
}

/** The same for a task that lands on a base which has moved, with an earlier run's patch on top. */
async function goAshore(room: Fixture, { workspace, start }: Run) {
  const { dir, branch } = workspace;
  const { commit } = await snapshot(room.git, { dir, message: 'it' });
  const base = await readBase(room.mirror, {});
  const rebase = { workspaceDir: dir, commit: commit ?? '', baseOid: start.baseOid, tip: base.tip };
  const result = await rebaseOnto(room.mirror, rebase);
  if (result.kind !== 'rebased') throw new Error(`conflict in ${result.paths.join(', ')}`);
  await checkOut(room.mirror, { dir, commit: result.commit, startOid: base.tip });
  const patch = join(room.root, 'person.patch');
  const applied = await applyPatch(room.git, { dir, file: patch });
  const { commit: landed } = await snapshot(room.git, { dir, message: 'applied' });
  const landing = {
    fence: BY_LEASE,
    workspaceDir: dir,
    commit: landed ?? '',
    base,
    branch,
    branchTip: start.branchTip,
  };
  return { applied, landed, result: await landCommit(room.mirror, landing) };
}

const HOOKS = [
  'pre-commit',
  'post-commit',
  'prepare-commit-msg',
  'commit-msg',
  'post-checkout',
  'post-index-change',
  'pre-push',
  'reference-transaction',
  'fsmonitor-watchman',
];

const plants: [string, (dir: string, command: string) => void][] = [
  [
    'hooks',
    (dir, command) => {
      mkdirSync(join(dir, '.git/hooks'), { recursive: true });
      for (const hook of HOOKS) symlinkSync(command, join(dir, '.git/hooks', hook));
    },
  ],
  ['a hooks folder by configuration', (dir, command) => by(dir, 'config', 'core.hooksPath', join(command, '..'))],
  ['an fsmonitor', (dir, command) => by(dir, 'config', 'core.fsmonitor', command)],
  [
    'filter and diff drivers of any name',
    (dir, command) => {
      for (const key of [
        'filter.x.clean',
        'filter.x.smudge',
        'filter.x.process',
        'diff.x.textconv',
        'diff.x.command',
        'merge.x.driver',
      ]) {
        by(dir, 'config', key, command);
      }
      write(dir, {
        '.gitattributes': '* filter=x diff=x merge=x\n',
        '.git/info/attributes': '* filter=x diff=x merge=x\n',
      });
    },
  ],
  [
    'aliases, pagers, editors, signing and trailer commands',
    (dir, command) => {
      for (const name of ['add', 'commit-tree', 'diff-tree', 'update-ref', 'push', 'fetch'])
        by(dir, 'config', `alias.${name}`, `!${command}`);
      for (const key of [
        'core.pager',
        'core.editor',
        'gpg.program',
        'trailer.signalbox-task.command',
        'core.sshCommand',
        'diff.external',
        'uploadpack.packObjectsHook',
      ]) {
        by(dir, 'config', key, command);
      }
      by(dir, 'config', 'commit.gpgSign', 'true');
    },
  ],
  [
    'a remote that is asked for missing objects',
    (dir, command) => {
      by(dir, 'config', 'core.repositoryFormatVersion', '1');
      by(dir, 'config', 'extensions.partialClone', 'origin');
      by(dir, 'config', 'remote.origin.url', dir);
      by(dir, 'config', 'remote.origin.promisor', 'true');
      by(dir, 'config', 'remote.origin.uploadpack', command);
    },
  ],
  [
    'an included and a per-worktree configuration',
    (dir, command) => {
      write(dir, {
        '.git/evil': `[core]\n\tfsmonitor = ${command}\n`,
        '.git/config.worktree': `[core]\n\tfsmonitor = ${command}\n`,
      });
      by(dir, 'config', 'include.path', 'evil');
      by(dir, 'config', 'extensions.worktreeConfig', 'true');
    },
  ],
];

describe('a task cannot make Signalbox run', () => {
  it.each(plants)('%s', async (_, plant) => {
    const room = await fixture();
    const trap = bait(room);
    const run = await startRun(room, 'task/one');
    write(run.workspace.dir, { 'src/auth/login.ts': 'changed\n', 'new.txt': 'new\n' });
    plant(run.workspace.dir, trap.command);
    const { commit, result } = await goThrough(room, run);
    expect(trap.sprung()).toBe(false);
    expect(result).toEqual({ kind: 'published', oid: commit });
    expect(by(room.remote, 'show', 'task/one:src/auth/login.ts')).toBe('changed');
  });

  it.each(plants)('%s while its work is rebased, checked out, patched and landed', async (_, plant) => {
    const lines = (first: string, last: string) => `${first}\n${'between\n'.repeat(8)}${last}\n`;
    const room = await fixture({ 'a.txt': lines('1', '2'), 'b.txt': lines('1', '2') });
    const trap = bait(room);
    const run = await startRun(room, 'task/one');
    write(run.workspace.dir, { 'a.txt': lines('ours', '2'), 'b.txt': lines('ours', '2') });
    // All three meet in one file each, so that a merge driver would be asked.
    write(room.person, { 'b.txt': lines('1', 'patched') });
    const { stdout } = await room.git(['diff', '--binary', '--full-index'], {
      gitDir: join(room.person, '.git'),
      cwd: room.person,
    });
    writeFileSync(join(room.root, 'person.patch'), stdout);
    by(room.person, 'checkout', '--quiet', 'b.txt');
    write(room.person, { 'a.txt': lines('1', 'theirs') });
    commitAll(room.person);
    by(room.person, 'push', '--quiet', 'origin', 'main');
    plant(run.workspace.dir, trap.command);
    const { applied, landed, result } = await goAshore(room, run);
    expect(trap.sprung()).toBe(false);
    expect(applied).toBe(true);
    expect(result).toEqual({ kind: 'published', oid: landed });
    expect(by(room.remote, 'show', 'main:a.txt')).toBe(lines('ours', 'theirs').trimEnd());
    expect(by(room.remote, 'show', 'main:b.txt')).toBe(lines('ours', 'patched').trimEnd());
  });

  it('the baits themselves work: the first ones spring for a plain git', async () => {
    const room = await fixture();
    const trap = bait(room);
    const sprungBy =
      (plant: number, ...args: string[]) =>
      async () => {
        const { workspace } = await startRun(room, 'task/one');
        write(workspace.dir, { 'new.txt': 'new\n' });
        plants[plant]?.[1](workspace.dir, trap.command);
        trap.reset();
        try {
          by(workspace.dir, ...args);
        } catch {
          // Some baits break the command that runs them.
        }
        return trap.sprung();
      };
    expect(await sprungBy(0, 'commit', '--allow-empty', '-m', 'x')()).toBe(true);
    expect(await sprungBy(2, 'status')()).toBe(true);
    expect(await sprungBy(3, 'add', '--all')()).toBe(true);
    expect(await sprungBy(5, 'cat-file', '-p', 'a'.repeat(40))()).toBe(true);
    expect(await sprungBy(6, 'status')()).toBe(true);
  });

  it('the configuration of a repository that it links in', async () => {
    const room = await fixture();
    const trap = bait(room);
    const { workspace } = await startRun(room, 'task/one');
    const nested = join(workspace.dir, 'sub');
    write(nested, { file: 'x' });
    by(nested, 'init', '--quiet');
    by(nested, 'add', 'file');
    by(nested, 'commit', '--quiet', '-m', 'nested');
    by(workspace.dir, 'add', 'sub');
    // git passes its settings on into a linked repository, so that an fsmonitor stays asleep there; a filter does not.
    by(nested, 'config', 'filter.x.clean', trap.command);
    write(nested, { '.gitattributes': '* filter=x\n', file: 'y' });
    by(workspace.dir, 'status');
    expect(trap.sprung()).toBe(true);
    trap.reset();
    await expect(snapshot(room.git, { dir: workspace.dir, message: 'x' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    write(workspace.dir, { 'kept.txt': 'kept' });
    const file = join(room.root, 'saved.patch');
    await savePatch(room.git, { dir: workspace.dir, file });
    expect(by(room.person, 'apply', '--numstat', file)).toBe('1\t0\tkept.txt');
    expect(trap.sprung()).toBe(false);
  });

  it('a bare repository that stands where git would look for one', async () => {
    const room = await fixture();
    const trap = bait(room);
    const run = await startRun(room, 'task/one');
    const { dir } = run.workspace;
    write(dir, {
      HEAD: 'ref: refs/heads/main\n',
      'objects/x': '',
      'refs/x': '',
      config: `[core]\n\tbare = true\n\tfsmonitor = ${trap.command}\n`,
    });
    const { filesChanged } = await goThrough(room, run);
    expect(filesChanged).toEqual(['HEAD', 'config', 'objects/x', 'refs/x']);
    expect(trap.sprung()).toBe(false);
  });

  it('another configuration by moving its git folder away', async () => {
    const room = await fixture();
    const trap = bait(room);
    const away = join(room.root, 'away.git');
    const redirects: ((dir: string) => void)[] = [
      (dir) => {
        renameSync(join(dir, '.git'), away);
        symlinkSync(away, join(dir, '.git'));
      },
      (dir) => {
        renameSync(join(dir, '.git'), away);
        writeFileSync(join(dir, '.git'), `gitdir: ${away}\n`);
      },
    ];
    for (const redirect of redirects) {
      rmSync(away, { recursive: true, force: true });
      const { workspace } = await startRun(room, 'task/one');
      by(workspace.dir, 'config', 'core.fsmonitor', trap.command);
      redirect(workspace.dir);
      await expect(snapshot(room.git, { dir: workspace.dir, message: 'x' })).rejects.toMatchObject({
        code: 'WORKSPACE',
      });
      expect(trap.sprung()).toBe(false);
    }
  });

  it('a common folder that its git folder names', async () => {
    const room = await fixture();
    const trap = bait(room);
    const run = await startRun(room, 'task/one');
    const { dir } = run.workspace;
    write(dir, { 'new.txt': 'new' });
    execFileSync('cp', ['-r', join(dir, '.git'), join(room.root, 'common')]);
    by(room.root, 'config', '--file', 'common/config', 'core.fsmonitor', trap.command);
    write(dir, { '.git/commondir': `${join(room.root, 'common')}\n` });
    const { commit } = await goThrough(room, run);
    expect(trap.sprung()).toBe(false);
    expect(tipOf(room.remote, 'task/one')).toBe(commit);
  });
});
