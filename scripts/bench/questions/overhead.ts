/** Overhead: what a task that does next to nothing takes from submit to pushed, against git in a shell loop. */

import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Signalbox } from '../../../src/client/signalbox.ts';
import type { TaskView } from '../../../src/client/views.ts';
import type { Bench } from '../bench.ts';
import { NO_FAULTS } from '../faults.ts';
import { atLeast, atMost, type Question } from '../question.ts';
import { startWorkers } from '../real-workers.ts';
import { git, makeRemote } from '../remote.ts';
import { percentile, type Spread, shown, spread } from '../stats.ts';

const run = promisify(execFile);

const FILES = 200;
const TASKS = 10;
const RUNS: Readonly<Record<Kind, number>> = { 'changes a file': 3, true: 1 };
const AT_ONCE = 4;
/** Steps by what they do; `$N` is the task's number. */
const STEPS = {
  'changes a file': (i: number) => `echo ${i} > src/change-${i}.txt`,
  true: () => 'true',
} as const;
type Kind = keyof typeof STEPS;

/** What a sensible person writes: a worktree a task, and a commit and a push if something was changed. */
const LOOP = `set -e
cd "$1"; first=$2; count=$3; kind=$4
i=$first
while [ $i -lt $((first + count)) ]; do
  git fetch --quiet origin
  git worktree add --quiet --no-track -b "$kind-loop-$i" "../loop-$i" origin/main
  cd "../loop-$i"
  if [ "$kind" = change ]; then sh -c "echo $i > src/change-$i.txt"; else sh -c true; fi
  if [ -n "$(git status --porcelain)" ]; then
    git add --all
    git commit --quiet -m "task $i"
    git push --quiet origin "HEAD:refs/heads/$kind-loop-$i"
  fi
  cd "$1"
  git worktree remove --force "../loop-$i"
  i=$((i + 1))
done`;

interface KindFigures {
  readonly kind: Kind;
  readonly loopMs: Spread;
  readonly singleMs: Spread;
  readonly fourMs: Spread;
  /** Over the loop, in the same run. */
  readonly singleOverLoop: Spread;
  readonly loopOverFour: Spread;
  /** The median of each phase, of the wait before the first, and of what lies between, in ms, one task at a time. */
  readonly phases: Readonly<Record<string, number>>;
}

/** Real tasks on a real worker, pushed to a repository on this disk. */
export const overhead: Question = {
  name: 'overhead',
  asks: 'How long does a task take from submit to pushed whose step does nothing, against git in a shell loop?',
  run: async (bench) => {
    const { sandbox } = bench.parts;
    const dir = join(sandbox.dir, 'overhead');
    await mkdir(dir, { recursive: true });
    const remote = join(dir, 'remote.git');
    makeRemote(remote, FILES);
    const loop = join(dir, 'clone');
    await git('clone', '--quiet', remote, loop);
    for (const [key, value] of [
      ['user.name', 'Bench'],
      ['user.email', 'bench@localhost'],
    ]) {
      await git('-C', loop, 'config', key ?? '', value ?? '');
    }
    await using box = await Signalbox.connect({
      redisUrl: sandbox.redisUrl,
      queue: 'overhead',
      dataDir: join(dir, 'data'),
    });
    const [worker] = await startWorkers(sandbox, box, { count: 1, concurrency: AT_ONCE });
    try {
      const figures: KindFigures[] = [];
      for (const kind of Object.keys(STEPS) as Kind[]) figures.push(await measure(kind, { bench, box, remote, loop }));
      return answerOf(figures, bench);
    } finally {
      await worker?.stop();
    }
  },
};

interface Means {
  readonly bench: Bench;
  readonly box: Signalbox;
  readonly remote: string;
  readonly loop: string;
}

async function measure(kind: Kind, { bench, box, remote, loop }: Means): Promise<KindFigures> {
  const count = bench.amount(TASKS, 4);
  const runs = bench.repeats(RUNS[kind]);
  const [loops, singles, fours]: [number[], number[], number[]] = [[], [], []];
  const views: TaskView[] = [];
  let next = 0;
  const submit = async (): Promise<string> => {
    next += 1;
    const branch = `${kind.replaceAll(' ', '-')}-${next}`;
    const claims = { write: [`src/change-${next}.txt`] };
    const implement = [{ run: STEPS[kind](next) }];
    const [accepted] = await box.submit({ title: branch, repo: remote, branch, claims, implement });
    return accepted?.id ?? '';
  };
  // When a worker has been up for a while the mirror is there, the supervisor runs, and the code is compiled.
  for (let task = 0; task < count; task += 1) await done(box, await submit());
  for (let i = 0; i < runs; i += 1) {
    const word = kind === 'true' ? 'true' : 'change';
    loops.push(
      (await timed(async () => await run('sh', ['-c', LOOP, 'sh', loop, String(i * count), String(count), word]))) /
        count,
    );
    singles.push(
      (await timed(async () => {
        for (let task = 0; task < count; task += 1) views.push(await done(box, await submit()));
      })) / count,
    );
    fours.push(
      (await timed(async () => {
        const ids: string[] = [];
        for (let task = 0; task < 2 * count; task += 1) ids.push(await submit());
        await Promise.all(ids.map(async (id) => await done(box, id)));
      })) /
        (2 * count),
    );
    bench.say(
      `step ${kind}, run ${i + 1} of ${runs}: loop ${loops[i]?.toFixed(0)} ms a task, one after the other ${singles[i]?.toFixed(0)} ms, ${AT_ONCE} at once ${fours[i]?.toFixed(0)} ms`,
    );
  }
  return {
    kind,
    loopMs: spread(loops),
    singleMs: spread(singles),
    fourMs: spread(fours),
    singleOverLoop: spread(singles.map((ms, i) => ms / (loops[i] ?? Number.NaN))),
    loopOverFour: spread(loops.map((ms, i) => ms / (fours[i] ?? Number.NaN))),
    phases: phasesOf(views),
  };
}

async function done(box: Signalbox, id: string): Promise<TaskView> {
  const view = await box.waitFor(id);
  if (view.state !== 'succeeded') throw new Error(`a task has ${view.state}: ${view.error}`);
  return view;
}

function phasesOf(views: readonly TaskView[]): Record<string, number> {
  const median = (figure: (view: TaskView) => number): number => percentile(views.map(figure), 0.5);
  const of = ({ phases }: TaskView, name: string): number =>
    phases.find((phase) => phase.name === name)?.durationMs ?? 0;
  const names = [...new Set(views.flatMap(({ phases }) => phases.map(({ name }) => name)))];
  const whole = ({ submittedAt, finishedAt }: TaskView): number =>
    Date.parse(finishedAt ?? '') - Date.parse(submittedAt);
  const known = (view: TaskView): number => names.reduce((sum, name) => sum + of(view, name), view.waitMs);
  return {
    'submit to start': median(({ waitMs }) => waitMs),
    ...Object.fromEntries(names.map((name) => [name, median((view) => of(view, name))])),
    'between and after': median((view) => whole(view) - known(view)),
    'submit to end': median(whole),
  };
}

function answerOf(figures: readonly KindFigures[], bench: Bench) {
  const changed = figures.find(({ kind }) => kind === 'changes a file');
  const names = [...new Set(figures.flatMap(({ phases }) => Object.keys(phases)))];
  return {
    figures,
    tables: [
      {
        title: `Time a task, ${bench.amount(TASKS, 4)} tasks on a repository of ${FILES} files, pushed to this disk, by turns`,
        head: [
          'step',
          'shell loop',
          'one after the other',
          `${AT_ONCE} at once`,
          'one over loop',
          `loop over ${AT_ONCE} at once`,
        ],
        rows: figures.map(({ kind, loopMs, singleMs, fourMs, singleOverLoop, loopOverFour }) => [
          kind,
          loopMs.count,
          `${shown(loopMs)} ms`,
          `${shown(singleMs)} ms`,
          `${shown(fourMs)} ms`,
          shown(singleOverLoop, 2),
          shown(loopOverFour, 2),
        ]),
        notes: [
          'The loop: fetch, worktree add, the step, and if something was changed commit and push; then worktree remove. The worker has run as many tasks before.',
        ],
      },
      {
        title: 'Where the time goes, one task after the other; medians in ms',
        head: ['step', ...names],
        rows: figures.map(({ kind, phases }) => [kind, ...names.map((name) => Math.round(phases[name] ?? 0))]),
      },
    ],
    plots: [],
    targets:
      changed === undefined
        ? []
        : [
            atMost(1.5, 'overhead: one after the other over the shell loop', { value: changed.singleOverLoop.median }),
            atLeast(2, `overhead: ${AT_ONCE} at once, times faster than the loop`, {
              value: changed.loopOverFour.median,
            }),
          ],
    faults: NO_FAULTS,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
