/** How far the estimated starts are from the real ones, on a mixed workload that comes in batches. */

import { Signalbox } from '../../../src/client/signalbox.ts';
import { FaultList } from '../faults.ts';
import type { AnswerTable, Question } from '../question.ts';
import { seeded } from '../random.ts';
import { percentile, type Spread, shown, spread } from '../stats.ts';
import { REPO } from '../systems/signalbox.ts';
import { type BenchTask, contended } from '../workload.ts';

/** How far estimates are from what happened: the median of |estimated − real wait| over the real wait. */
export interface EstimateFigures {
  /** Told before the task was submitted. */
  readonly atSubmission: Spread;
  /** Told by `explain` when the task got in line. */
  readonly whenBlocked: Spread;
  /** How many waits were judged, of both kinds, in each run. */
  readonly judged: Spread;
  /** How many of a hundred got no estimate. */
  readonly unknown: Spread;
}

const TASKS = { branches: 100, files: 400, zipf: 0.8, meanMs: 1 };
/** What has run before, so that durations are known. */
const HISTORY = 60;
const BATCH = 20;
const BATCHES = 10;
const BATCH_EVERY_MS = 400;
/** Kinds of tasks by title, and how long they take on average. */
const KINDS = [
  { title: 'format', meanMs: 80 },
  { title: 'unit tests', meanMs: 250 },
  { title: 'refactor', meanMs: 600 },
  { title: 'migrate', meanMs: 1_200 },
] as const;
const OWNERS = 4;
/** Shorter waits are those for a hand-over, which nobody needs told beforehand. */
const JUDGED_FROM_MS = 200;
const RUNS = 3;

interface MixedTask extends BenchTask {
  readonly title: string;
  readonly owner: string;
}

/** An estimate, and the time at which it was made. */
interface Guess {
  readonly id: string;
  readonly atMs: number;
  readonly startAtMs: number | undefined;
}

/** Tasks of four kinds and four owners in batches, with an estimate before each and at each block. */
export const estimate: Question = {
  name: 'estimate',
  asks: 'How far are estimated starts from the real ones, at submission and when a task gets in line?',
  run: async (bench) => {
    await using fleet = await bench.fleet(['signalbox']);
    const faults = new FaultList();
    const seen = {
      submitted: [] as number[],
      blocked: [] as number[],
      judged: [] as number[],
      unknown: [] as number[],
    };
    const runs = bench.repeats(RUNS);
    for (let run = 0; run < runs; run += 1) {
      const tasks = mixed(HISTORY + BATCH * BATCHES, bench.seed + run);
      const guesses = { submitted: [] as Guess[], blocked: [] as Guess[] };
      await using trial = await fleet.trial('signalbox');
      trial.expect(tasks);
      await trial.start();
      await using box = await Signalbox.connect({ redisUrl: trial.place.redisUrl, queue: trial.place.queue });
      const starts = await play(box, { tasks, guesses, signal: fleet.signal });
      faults.note(await trial.stop());
      const [submitted, blocked] = [judge(guesses.submitted, starts), judge(guesses.blocked, starts)];
      const all = [...guesses.submitted, ...guesses.blocked];
      seen.submitted.push(percentile(submitted, 0.5));
      seen.blocked.push(percentile(blocked, 0.5));
      seen.judged.push(submitted.length + blocked.length);
      seen.unknown.push((100 * all.filter(({ startAtMs }) => startAtMs === undefined).length) / all.length);
      bench.say(
        `run ${run + 1} of ${runs}: median relative error ${seen.submitted.at(-1)?.toFixed(2)} at submission (${submitted.length}), ${seen.blocked.at(-1)?.toFixed(2)} when blocked (${blocked.length})`,
      );
    }
    const figures = {
      atSubmission: spread(seen.submitted),
      whenBlocked: spread(seen.blocked),
      judged: spread(seen.judged),
      unknown: spread(seen.unknown),
    };
    return { figures, tables: [tableOf(figures)], plots: [], targets: [], faults: faults.all };
  },
};

function tableOf({ atSubmission, whenBlocked, judged, unknown }: EstimateFigures): AnswerTable {
  return {
    title: 'The median of |estimated − real wait| over the real wait',
    head: ['runs', 'at submission', 'when blocked', 'waits judged', 'no estimate'],
    rows: [[judged.count, shown(atSubmission, 2), shown(whenBlocked, 2), shown(judged), `${shown(unknown, 1)} %`]],
  };
}

/** Tasks that want a branch and one to three files each, and take as long as their kind does, a third more or less. */
function mixed(count: number, seed: number): MixedTask[] {
  const random = seeded(seed + 1_000);
  return contended({ ...TASKS, tasks: count, seed }).map((task) => {
    const kind = KINDS[Math.floor(random() * KINDS.length)] ?? KINDS[0];
    const ms = Math.round(kind.meanMs * (2 / 3 + (random() * 2) / 3));
    return { ...task, ms, title: kind.title, owner: `owner-${Math.floor(random() * OWNERS)}` };
  });
}

interface Play {
  readonly tasks: readonly MixedTask[];
  readonly guesses: { readonly submitted: Guess[]; readonly blocked: Guess[] };
  readonly signal: AbortSignal;
}

/** Runs the history, then the batches. Answers when each task really started. */
async function play(box: Signalbox, { tasks, guesses, signal }: Play): Promise<Map<string, number>> {
  const inputs = tasks.map(toInput);
  await ended(box, (await box.submit(inputs.slice(0, HISTORY))).length, signal);
  let explaining = Promise.resolve();
  const unwatch = await box.watch((change) => {
    if (change === 'reconnected' || change.state !== 'blocked') return;
    explaining = explaining.then(async () => {
      const { state, estimatedStartAt } = await box.explain(change.id);
      if (state === 'blocked')
        guesses.blocked.push({ id: change.id, atMs: Date.now(), startAtMs: parsed(estimatedStartAt) });
    });
  });
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const list = inputs.slice(HISTORY + batch * BATCH, HISTORY + (batch + 1) * BATCH);
    const estimates = await box.estimate(list);
    const accepted = await box.submit(list);
    for (const [i, { id }] of accepted.entries()) {
      guesses.submitted.push({ id, atMs: Date.now(), startAtMs: parsed(estimates[i]?.estimatedStartAt ?? null) });
    }
    await new Promise((done) => setTimeout(done, BATCH_EVERY_MS));
  }
  await ended(box, tasks.length, signal);
  unwatch();
  await explaining;
  const ids = [...new Set([...guesses.submitted, ...guesses.blocked].map(({ id }) => id))];
  const records = await box.queue.store.getMany(ids);
  return new Map(records.flatMap(({ id, startedAt }) => (startedAt === null ? [] : [[id, startedAt] as const])));
}

async function ended(box: Signalbox, count: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const { succeeded, failed } = await box.queue.store.counts();
    if (failed > 0) throw new Error(`${failed} tasks failed`);
    if (succeeded >= count) return;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** The relative errors of those that had to wait. */
function judge(guesses: readonly Guess[], starts: ReadonlyMap<string, number>): number[] {
  return guesses.flatMap(({ id, atMs, startAtMs }) => {
    const waitMs = (starts.get(id) ?? atMs) - atMs;
    return startAtMs === undefined || waitMs < JUDGED_FROM_MS ? [] : [Math.abs(startAtMs - atMs - waitMs) / waitMs];
  });
}

function toInput({ title, owner, branch, files, ms }: MixedTask, task: number) {
  const claims = { write: [...files] };
  return { title, owner, repo: REPO, branch, claims, implement: [{ handler: 'work', input: { task, ms } }] };
}

function parsed(iso: string | null): number | undefined {
  return iso === null ? undefined : Date.parse(iso);
}
