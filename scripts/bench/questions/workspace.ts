/** Workspaces: how long a checkout takes and how much disk, against git by itself. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createGit } from '../../../src/git/git.ts';
import { createMirrors, type Mirror } from '../../../src/git/mirror.ts';
import { resolveStart } from '../../../src/git/start-point.ts';
import { checkOutFiles, createWorkspace, nameRefs, proveWorkspace } from '../../../src/git/workspace.ts';
import { diskBytes } from '../../../src/git/workspaces.ts';
import type { Bench } from '../bench.ts';
import { NO_FAULTS } from '../faults.ts';
import { type AnswerTable, atMost, type Plot, type Question, type Target } from '../question.ts';
import { FIRST_FOLDER, git, makeRemote } from '../remote.ts';
import { type Spread, shown, spread } from '../stats.ts';

const WAYS = ['claimed', 'full', 'worktree', 'clone', 'shallow'] as const;
type Way = (typeof WAYS)[number];

const TITLES: Readonly<Record<Way, string>> = {
  claimed: 'Signalbox, claimed',
  full: 'Signalbox, full',
  worktree: 'git worktree add',
  clone: 'git clone',
  shallow: 'git clone --depth 1',
};
const FILES = [1_000, 10_000, 50_000];
/** The larger, the less often: a checkout of 50,000 files takes seconds, and five are compared. */
const RUNS = (files: number): number => (files > 10_000 ? 1 : 3);
/** The size at which one is taken that was made ahead. */
const AHEAD_FILES = 10_000;
const AHEAD_RUNS = 3;
const AT_ONCE = 16;
/** The size at which many are made at once. */
const AT_ONCE_FILES = 1_000;
/** A slow disk is not asked again after so long on one size. */
const PATIENCE_MS = 30_000;

interface SizeFigures {
  readonly files: number;
  readonly ms: Readonly<Record<Way, Spread>>;
  readonly bytes: Readonly<Record<Way, number>>;
  /** Each way's time over `git clone`'s and over `git worktree add`'s in the same run. */
  readonly ofClone: Readonly<Record<Way, Spread>>;
  readonly ofWorktree: Readonly<Record<Way, Spread>>;
}

/** From the fetch into a warm mirror to a proven checkout; git's own commands by turns with it. */
export const workspace: Question = {
  name: 'workspace',
  asks: 'How long does a checkout take, and how much disk, against what git does by itself?',
  run: async (bench) => {
    const figures: SizeFigures[] = [];
    let together: Together | undefined;
    let ahead: Spread | undefined;
    for (const files of FILES.map((count) => bench.amount(count, count / 10))) {
      const maker = await openMaker(bench, files);
      figures.push(await measureSize(bench, maker));
      if (files === bench.amount(AT_ONCE_FILES, AT_ONCE_FILES / 10)) together = await measureTogether(bench, maker);
      if (files === bench.amount(AHEAD_FILES, AHEAD_FILES / 10)) ahead = await measureAhead(bench, maker);
      await rm(maker.dir, { recursive: true, force: true });
    }
    return {
      figures: { sizes: figures, ahead, atOnce: together },
      tables: [tableOf(figures, ahead), ...(together === undefined ? [] : [togetherTable(together)])],
      plots: [plotOf(figures)],
      targets: figures.flatMap(targetsOf),
      faults: NO_FAULTS,
    };
  },
};

interface Maker {
  readonly files: number;
  readonly dir: string;
  readonly make: (way: Way, target: string) => Promise<void>;
  /** Makes a whole checkout of Signalbox's ahead; the answer makes it that of a run. */
  readonly makeAhead: (spare: string, target: string) => Promise<() => Promise<void>>;
}

/** A remote with so many files, and whatever is warm before the first task: a mirror for Signalbox, one for worktrees. */
async function openMaker({ parts: { sandbox, signal } }: Bench, files: number): Promise<Maker> {
  const dir = join(sandbox.dir, `workspace-${files}`);
  await mkdir(dir, { recursive: true });
  const remote = join(dir, 'remote.git');
  makeRemote(remote, files);
  const mirrors = createMirrors({ git: createGit({ env: process.env }), dataDir: join(dir, 'data') });
  const open = async (): Promise<Mirror> => await mirrors.open({ key: remote, url: remote }, signal);
  await open();
  const own = join(dir, 'mirror.git');
  await git('clone', '--quiet', '--mirror', remote, own);
  const make = async (way: Way, target: string): Promise<void> => {
    switch (way) {
      case 'worktree':
        return await git('-C', own, 'worktree', 'add', '--quiet', '--detach', target, 'main');
      case 'clone':
        return await git('clone', '--quiet', remote, target);
      case 'shallow':
        return await git('clone', '--quiet', '--depth', '1', `file://${remote}`, target);
      case 'claimed':
      case 'full': {
        const mirror = await open();
        const { startOid } = await resolveStart(mirror, { branch: 'work', signal });
        const made = await createWorkspace({
          mirror,
          dir: target,
          startOid,
          branch: 'work',
          checkout: way,
          cone: [FIRST_FOLDER],
          signal,
        });
        return await proveWorkspace(mirror, made);
      }
    }
  };
  const makeAhead: Maker['makeAhead'] = async (spare, target) => {
    const mirror = await open();
    const { startOid } = await resolveStart(mirror, { branch: 'work', signal });
    const request = { mirror, startOid, branch: 'work', checkout: 'full', signal } as const;
    const made = await checkOutFiles({ ...request, dir: spare });
    return async () => {
      await resolveStart(mirror, { branch: 'work', signal });
      const taken = await checkOutFiles({ ...request, dir: target }, made);
      await nameRefs(mirror, taken);
      await proveWorkspace(mirror, taken);
    };
  };
  return { files, dir, make, makeAhead };
}

async function measureSize(bench: Bench, { files, dir, make }: Maker): Promise<SizeFigures> {
  const ms = byWay(() => [] as number[]);
  const bytes = byWay(() => 0);
  const runs = bench.repeats(RUNS(files));
  const startedAt = performance.now();
  for (let run = 0; run < runs && (run === 0 || performance.now() - startedAt < PATIENCE_MS); run += 1) {
    for (const way of WAYS) {
      const target = join(dir, `${way}-${run}`);
      ms[way].push(await timed(async () => await make(way, target)));
      // The files and what git keeps beside them for this one; not the mirror, which all share.
      if (run === 0) bytes[way] = (await diskBytes(target)) + (await diskBytes(`${target}.git`));
      await rm(target, { recursive: true, force: true });
      await rm(`${target}.git`, { recursive: true, force: true });
    }
    bench.say(`${files} files, run ${run + 1} of ${runs}: ${told((way) => ms[way][run])}`);
  }
  const over = (other: Way) => byWay((way) => spread(ms[way].map((one, run) => one / (ms[other][run] ?? Number.NaN))));
  return { files, ms: byWay((way) => spread(ms[way])), bytes, ofClone: over('clone'), ofWorktree: over('worktree') };
}

async function measureAhead(bench: Bench, { files, dir, makeAhead }: Maker): Promise<Spread> {
  const ms: number[] = [];
  for (let run = 0; run < bench.repeats(AHEAD_RUNS); run += 1) {
    const [spare, target] = [join(dir, `spare-${run}`), join(dir, `taken-${run}`)];
    ms.push(await timed(await makeAhead(spare, target)));
    for (const path of [`${spare}.git`, target, `${target}.git`]) await rm(path, { recursive: true, force: true });
  }
  bench.say(`${files} files, made ahead: ${ms.map(Math.round).join(', ')} ms`);
  return spread(ms);
}

/** Many made at once; and how often `git worktree add` then failed and had to be tried again. */
interface Together {
  readonly ms: Readonly<Record<Way, number>>;
  readonly failures: number;
}

async function measureTogether(bench: Bench, { files, dir, make }: Maker): Promise<Together> {
  const ms = byWay(() => 0);
  let failures = 0;
  for (const way of WAYS) {
    const one = async (target: string): Promise<void> => {
      if (way !== 'worktree') return await make(way, target);
      // Those that run at once read each other's half-made notes.
      while (
        !(await make(way, target).then(
          () => true,
          () => false,
        ))
      ) {
        failures += 1;
        await rm(target, { recursive: true, force: true });
      }
    };
    const targets = Array.from({ length: AT_ONCE }, (_, i) => join(dir, `together-${way}-${i}`));
    ms[way] = await timed(async () => void (await Promise.all(targets.map(one))));
    for (const target of targets) {
      await rm(target, { recursive: true, force: true });
      await rm(`${target}.git`, { recursive: true, force: true });
    }
  }
  bench.say(`${files} files, ${AT_ONCE} at once: ${told((way) => ms[way])}`);
  return { ms, failures };
}

function targetsOf({ files, ofClone, ofWorktree }: SizeFigures): Target[] {
  const claimed = (goal: number): Target =>
    atMost(goal, `workspace, ${files} files: claimed over git clone`, { value: ofClone.claimed.median });
  return [
    ...(files === 10_000 ? [claimed(0.2)] : []),
    ...(files === 50_000 ? [claimed(0.1)] : []),
    atMost(1, `workspace, ${files} files: full over git worktree add`, { value: ofWorktree.full.median }),
  ];
}

function tableOf(figures: readonly SizeFigures[], ahead: Spread | undefined): AnswerTable {
  return {
    title: 'A checkout of a repository on this disk',
    head: ['files', 'runs', '', 'time', 'over git clone', 'over git worktree add', 'disk'],
    rows: figures.flatMap(({ files, ms, bytes, ofClone, ofWorktree }) =>
      WAYS.map((way) => [
        files,
        ms[way].count,
        TITLES[way],
        `${shown(ms[way])} ms`,
        shown(ofClone[way], 2),
        shown(ofWorktree[way], 2),
        `${(bytes[way] / 2 ** 20).toFixed(1)} MiB`,
      ]),
    ),
    notes: [
      'Signalbox: a fetch into a mirror that is there, the checkout, and its proof. Claimed: one folder of 20 files. git worktree add: from a bare mirror, without a fetch. git clone: of a local path, hence with hard links, which count as disk here; with --depth 1 of a file:// address, since git ignores it else.',
      ...(ahead === undefined
        ? []
        : [`Signalbox, full, of ${AHEAD_FILES} files that were written while another run worked: ${shown(ahead)} ms.`]),
    ],
  };
}

function togetherTable({ ms, failures }: Together): AnswerTable {
  return {
    title: `${AT_ONCE} checkouts of ${AT_ONCE_FILES} files at once, until the last is there; once`,
    head: ['', 'time'],
    rows: WAYS.map((way) => [TITLES[way], `${Math.round(ms[way])} ms`]),
    notes: [`git worktree add failed ${failures} times beside others of its kind, and was tried again.`],
  };
}

function plotOf(figures: readonly SizeFigures[]): Plot {
  return {
    title: 'Time of a checkout',
    kind: 'line',
    x: { name: 'files', scale: 'log' },
    y: { name: 'ms', scale: 'log' },
    series: WAYS.map((way) => ({
      name: TITLES[way],
      points: figures.map(({ files, ms }) => [files, ms[way].median] as const),
    })),
  };
}

function byWay<T>(figure: (way: Way) => T): Record<Way, T> {
  return Object.fromEntries(WAYS.map((way) => [way, figure(way)])) as Record<Way, T>;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function told(ms: (way: Way) => number | undefined): string {
  return WAYS.map((way) => `${TITLES[way]} ${Math.round(ms(way) ?? 0)} ms`).join(', ');
}
