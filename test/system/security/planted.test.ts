import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { git } from '../../support/system/remote.ts';
import { systemTest, type World } from '../../support/system/world.ts';

/** Where a bait notes who ran it: a step may, Signalbox may not. */
interface Trap {
  readonly bait: string;
  readonly sprungIn: (who: 'step' | 'signalbox') => string[];
}

function setTrap({ dir }: World): Trap {
  const bait = join(dir, 'bait');
  const marks = { step: join(dir, 'in-step'), signalbox: join(dir, 'in-signalbox') };
  for (const folder of Object.values(marks)) mkdirSync(folder);
  // Nobody but a step has these variables; the bait's own name is its first argument or the hook's name.
  writeFileSync(
    bait,
    `#!/bin/sh
if [ -n "$SIGNALBOX_TASK_ID" ]; then touch '${marks.step}'/"$SIGNALBOX_TASK_ID"; else echo "$0 $*" > '${marks.signalbox}'/$$; fi
exit 1
`,
  );
  chmodSync(bait, 0o755);
  return {
    bait,
    sprungIn: (who) =>
      readdirSync(marks[who]).map((name) => (who === 'step' ? name : readFileSync(join(marks[who], name), 'utf8'))),
  };
}

const HOOKS =
  'pre-commit post-commit commit-msg post-checkout post-index-change pre-push reference-transaction pre-auto-gc';

interface Plant {
  readonly what: string;
  /** A script; `$BAIT` is a program that must not be run, `$OUTSIDE` a folder that must stay as it is. */
  readonly script: string;
  /** A command by which the step springs its own bait, as proof that it is one. */
  readonly proof?: string;
  /** How the task ends; without it it succeeds and is published. */
  readonly refused?: RegExp;
}

const PLANTS: readonly Plant[] = [
  {
    what: 'hooks',
    script: `mkdir -p .git/hooks; for hook in ${HOOKS}; do ln -sf "$BAIT" .git/hooks/$hook; done`,
    proof: 'git commit --allow-empty -m x',
  },
  {
    what: 'hooks in the mirror whose objects it borrows',
    script: `mirror=$(dirname "$(cat .git/objects/info/alternates)"); mkdir -p "$mirror/hooks"
for hook in ${HOOKS}; do ln -sf "$BAIT" "$mirror/hooks/$hook"; done`,
    proof: 'git -C "$mirror" update-ref refs/heads/x HEAD',
  },
  {
    what: 'a hooks folder',
    script: 'mkdir h; ln -s "$BAIT" h/post-index-change; git config core.hooksPath "$PWD/h"',
    proof: 'git reset',
  },
  { what: 'an fsmonitor', script: 'git config core.fsmonitor "$BAIT"', proof: 'git status' },
  {
    what: 'filters',
    script: `for way in clean smudge process; do git config filter.x.$way "$BAIT"; done
echo '* filter=x' > .gitattributes; echo '* filter=x' > .git/info/attributes`,
    proof: 'git add .gitattributes',
  },
  {
    what: 'diff and merge drivers',
    script: `git config diff.x.textconv "$BAIT"; git config diff.x.command "$BAIT"; git config diff.external "$BAIT"
git config merge.x.driver "$BAIT"; echo '* diff=x merge=x' > .gitattributes; echo y >> README.md`,
    proof: 'git diff',
  },
  {
    what: 'aliases and programs',
    script: `for name in add fetch push diff-tree commit-tree update-ref; do git config alias.$name "!$BAIT"; done
for key in core.pager core.editor core.sshCommand core.askPass gpg.program credential.helper uploadpack.packObjectsHook; do git config $key "$BAIT"; done
git config commit.gpgSign true; git config trailer.signalbox-task.command "$BAIT"; git config alias.x "!$BAIT"`,
    proof: 'git x',
  },
  {
    what: 'included configuration',
    script: `printf '[core]\\n\\tfsmonitor = %s\\n' "$BAIT" > .git/more; git config include.path more
cp .git/more .git/config.worktree; git config extensions.worktreeConfig true`,
    proof: 'git status',
  },
  {
    what: 'a remote to ask for objects',
    script: `git config core.repositoryFormatVersion 1; git config extensions.partialClone origin
git config remote.origin.url "$PWD"; git config remote.origin.promisor true; git config remote.origin.uploadpack "$BAIT"`,
    proof: `git cat-file -p ${'a'.repeat(40)}`,
  },
  { what: 'a configuration in its HOME', script: 'git config --global core.fsmonitor "$BAIT"', proof: 'git status' },
  {
    what: 'other addresses for its remotes',
    script: 'git config url."$OUTSIDE".insteadOf "$REMOTE"; git config url."$OUTSIDE".pushInsteadOf "$REMOTE"',
  },
  { what: 'another work tree', script: 'git config core.worktree "$OUTSIDE"' },
  {
    what: 'another common folder',
    script: `cp -r .git "$TMPDIR/common"; git -C "$TMPDIR/common" config core.fsmonitor "$BAIT"; echo "$TMPDIR/common" > .git/commondir`,
  },
  { what: 'objects from elsewhere', script: 'echo "$OUTSIDE/.git/objects" >> .git/objects/info/alternates' },
  { what: 'a link to a folder outside', script: 'ln -s "$OUTSIDE" link; ln -s /etc etc' },
  {
    what: 'a bare repository in a folder',
    script: `mkdir sub; cd sub; git init -q --bare; git config core.fsmonitor "$BAIT"; cd ..`,
  },
  {
    what: 'a repository in the repository',
    script: `git init -q sub; git -C sub commit -q --allow-empty -m x; git -C sub config core.fsmonitor "$BAIT"`,
    proof: 'git -C sub status',
    refused: /submodules are not supported/,
  },
  {
    what: 'a git folder that is a link',
    script: `mv .git "$TMPDIR/away"; ln -s "$TMPDIR/away" .git; git config core.fsmonitor "$BAIT"`,
    proof: 'git status',
    refused: /\.git is not a folder/,
  },
  {
    what: 'a git folder that is elsewhere',
    script: `mv .git "$TMPDIR/away"; echo "gitdir: $TMPDIR/away" > .git; git config core.fsmonitor "$BAIT"`,
    proof: 'git status',
    refused: /\.git is not a folder/,
  },
  { what: 'no git folder', script: 'rm -rf .git', refused: /\.git is missing/ },
  {
    what: 'another folder in place of its checkout',
    script:
      'cd /; mv "$SIGNALBOX_WORKSPACE" "$SIGNALBOX_WORKSPACE.away"; ln -s "$OUTSIDE" "$SIGNALBOX_WORKSPACE"; exit 0',
    refused: /is not where it was/,
  },
];

/** All files of a repository, its own administration too, with what is in them. */
function contentsOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => `${path} ${readFileSync(path, 'latin1')}`)
    .join('\n');
}

/** Has a task plant each of them, and looks at what came of it. */
async function plantAll(world: World, plants: readonly Plant[]): Promise<void> {
  const remote = world.remote();
  const { bait, sprungIn } = setTrap(world);
  // Somebody else's repository on the same machine.
  const outside = remote.checkout(join(world.dir, 'outside'));
  git(outside, 'checkout', '--quiet', '-b', 'private');
  writeFileSync(join(outside, 'private.txt'), 'not for others\n');
  git(outside, 'add', '--all');
  const before = contentsOf(outside);
  await world.startWorkers(1);
  const env = { BAIT: bait, OUTSIDE: outside, REMOTE: remote.dir };
  const ids = await world.submitAll(
    plants.map(({ what, script, proof = 'true' }) => ({
      title: what,
      env,
      attempts: 1,
      implement: ['echo work >> work.txt', `${script}\n${proof} || true`],
      test: ['test -e work.txt'],
    })),
  );
  await world.drained();

  expect(sprungIn('signalbox')).toEqual([]);
  expect(contentsOf(outside)).toBe(before);
  const proven = sprungIn('step');
  for (const [i, { what, proof, refused }] of plants.entries()) {
    const id = ids[i] ?? '';
    const { state, code, error, branch } = await world.client.get(id);
    if (proof !== undefined) expect(proven, `${what}: the bait works`).toContain(id);
    if (refused !== undefined) {
      expect({ state, code }, what).toEqual({ state: 'failed', code: 'workspace_failed' });
      expect(error, what).toMatch(refused);
      continue;
    }
    expect({ state, error }, what).toEqual({ state: 'succeeded', error: null });
    expect(remote.git('ls-tree', '-r', '--name-only', branch), what).not.toContain('private.txt');
    expect(remote.show(branch, 'work.txt'), what).toBe('work\n');
  }
}

/** How many are tried in one world. */
const PART = 6;

describe('what a task leaves in its checkout', () => {
  // In parts, so that a busy machine is done in time.
  for (let from = 0; from < PLANTS.length; from += PART) {
    const plants = PLANTS.slice(from, from + PART);
    const named = `${plants[0]?.what} … ${plants.at(-1)?.what}`;
    systemTest(`runs nothing in Signalbox and leads it nowhere else: ${named}`, async (world) => {
      await plantAll(world, plants);
    });
  }

  systemTest('can be what a person has committed', async (world) => {
    const remote = world.remote('hostile', { 'README.md': 'hostile\n' });
    const { bait, sprungIn } = setTrap(world);
    const config = `[core]\n\tbare = true\n\tfsmonitor = ${bait}\n\thooksPath = .\n[filter "x"]\n\tsmudge = ${bait}\n\tclean = ${bait}\n`;
    remote.push('main', {
      '.gitattributes': '* filter=x diff=x merge=x\n*.txt working-tree-encoding=UTF-16\n',
      '.gitconfig': config,
      'bare/HEAD': 'ref: refs/heads/main\n',
      'bare/config': config,
      'bare/objects/x': '',
      'bare/refs/x': '',
      HEAD: 'ref: refs/heads/main\n',
      config,
      'objects/x': '',
      'refs/x': '',
      'post-checkout': readFileSync(bait, 'utf8'),
    });
    await world.startWorkers(1);
    const ids = await world.submitAll([
      { implement: ['echo work > work.md'], test: 'auto' },
      { implement: ['echo work > bare/work.md'], publish: 'land' },
      { implement: ['echo work > other.md'], claims: { write: ['other.md'] }, checkout: 'claimed', publish: 'patch' },
    ]);
    for (const id of ids) expect(await world.ended(id)).toMatchObject({ state: 'succeeded', error: null });
    expect([...sprungIn('signalbox'), ...sprungIn('step')]).toEqual([]);
    expect(existsSync(join(remote.dir, 'config'))).toBe(true);
  });
});
