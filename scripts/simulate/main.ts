/** The simulator: a task list or a made-up fleet, played through by the queue's own rules of order and claims. */

import { parseArgs } from 'node:util';
import { SignalboxError } from '../../src/errors.ts';
import { PRIORITIES } from '../../src/waiting/rank.ts';
import { type Fleet, simulate } from '../../src/waiting/simulation.ts';
import { idealMakespan } from '../bench/ideal.ts';
import { seeded } from '../bench/random.ts';
import { CONTENTION, contended } from '../bench/workload.ts';
import { type Drawn, durationOf, type FleetOptions, generate, SPREADS } from './fleet.ts';
import { fromBench, fromFiles, oneOfEach } from './lists.ts';
import { Bound, type Score, Scorer } from './score.ts';

const HELP = `usage: npm run simulate -- [options] [FILE…]

Plays tasks through in simulated time, by the very rules of order and claims that the queue goes by: those of FILE…
(task files, - for stdin), or of a made-up fleet. Nothing is run. What a figure means: docs/simulation.md.

  --tasks N          how many tasks the fleet has (10000)
  --runners N        how many may run at once (100)
  --owners N         whose they are (200); one task's owner is drawn by Zipf's law
  --repos N          repositories, drawn evenly (as many as owners)
  --files N          files in each (1000); a task writes 1 to 3 of them, drawn by Zipf's law
  --zipf S           the law's exponent: 0 is even (0.8)
  --whole SHARE      the share of tasks that want their whole repository (0.001)
  --mean-ms N        the mean duration (60000)
  --durations HOW    exponential, lognormal or fixed (exponential)
  --load R           work that arrives over what the runners can do; 0: all is there at the start (0.9)
  --quota N          the most that one owner may have running (none)
  --keep-after-ms N  how long others may pass a waiting task (60000)
  --seed N           what all of it is drawn from (1)
  --bench            the bench's contended workload instead: 400 tasks on 16 runners, with --zipf and --seed
  --json             prints one JSON value
  --help             shows this

Exit codes: 0 simulated, 2 wrong usage or an invalid task.
`;

interface Options extends FleetOptions {
  readonly quota: number | undefined;
  readonly keepAfterMs: number;
  readonly bench: boolean;
  readonly json: boolean;
  readonly taskFiles: readonly string[];
}

/** What is printed. */
interface Report extends Score {
  readonly runners: number;
  readonly seed: number;
  /** What the simulation itself took. */
  readonly elapsedMs: number;
  readonly rssMiB: number;
}

async function main(options: Options): Promise<number> {
  const began = performance.now();
  const { source, limits, ideal, runners } = await scenario(options);
  const fleet: Fleet = { runners, keepAfterMs: options.keepAfterMs, limits };
  const scorer = new Scorer();
  const bound = new Bound();
  const played = simulate(fleet, counted(source, bound), scorer.spectator);
  const score = scorer.score(played, { idealMs: ideal ?? bound.idealMs(runners), runners });
  const rssMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
  const report: Report = {
    runners,
    seed: options.seed,
    ...score,
    elapsedMs: Math.round(performance.now() - began),
    rssMiB,
  };
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : render(report));
  return 0;
}

interface Scenario {
  readonly source: Iterable<Drawn>;
  readonly limits: ReadonlyMap<string, number>;
  /** Where a better one than the bound is known. */
  readonly ideal?: number;
  readonly runners: number;
}

async function scenario(options: Options): Promise<Scenario> {
  const { runners, seed, zipf } = options;
  if (options.bench) {
    const tasks = contended({ ...CONTENTION, zipf, seed });
    return { source: fromBench(tasks), limits: new Map(), ideal: idealMakespan(tasks, 16), runners: 16 };
  }
  if (options.taskFiles.length > 0) {
    const random = seeded(seed);
    const source = await fromFiles(options.taskFiles, process.cwd(), () => durationOf(random, options));
    return { source, limits: oneOfEach(source), runners };
  }
  const owners = Array.from({ length: options.quota === undefined ? 0 : options.owners }, (_, i) => `owner:owner-${i}`);
  return { source: generate(options), limits: new Map(owners.map((name) => [name, options.quota ?? 0])), runners };
}

/** The same arrivals; the bound learns of each. */
function* counted(source: Iterable<Drawn>, bound: Bound): Generator<Drawn, void> {
  for (const drawn of source) {
    bound.add({ atMs: drawn.atMs, durationMs: drawn.task.durationMs, alone: drawn.alone });
    yield drawn;
  }
}

function render(report: Report): string {
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const waits = PRIORITIES.map((priority) => ({ priority, ...report.waits[priority] })).filter(
    ({ tasks }) => tasks > 0,
  );
  const rows: readonly (readonly [string, string])[] = [
    ['tasks', `${report.tasks} on ${report.runners} runners, at most ${report.mostRunning} at once`],
    ['makespan', seconds(report.makespanMs)],
    ['over ideal', `${report.makespanOverIdeal.toFixed(3)} (ideal ${seconds(report.idealMs)})`],
    ['utilisation', percent(report.utilisation)],
    ['fairness', `${report.fairness.toFixed(3)} (Jain, between owners)`],
    ['conflicts', `${report.conflicts} times put in line, at most ${report.mostWaiting} waiting at once`],
    ...waits.map(
      ({ priority, tasks, meanMs, longestMs }) =>
        [`wait, ${priority}`, `longest ${seconds(longestMs)}, mean ${seconds(meanMs)} of ${tasks} tasks`] as const,
    ),
    ...(report.stuck > 0 ? [['never ran', `${report.stuck} tasks`] as const] : []),
    ['simulated in', `${seconds(report.elapsedMs)} with ${report.rssMiB} MiB`],
  ];
  return `${rows.map(([name, value]) => `${name.padEnd(14)}${value}`).join('\n')}\n`;
}

function readOptions(): Options | 'help' | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const numbers = { tasks: text, runners: text, owners: text, repos: text, files: text, zipf: text, whole: text };
  const more = { 'mean-ms': text, load: text, quota: text, 'keep-after-ms': text, seed: text, durations: text };
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { ...numbers, ...more, bench: flag, json: flag, help: flag },
    });
    if (values.help) return 'help';
    const whole = (name: keyof typeof values, fallback: number, min = 1): number =>
      readNumber(name, values[name] ?? fallback, { min, isWhole: true });
    const share = (name: keyof typeof values, fallback: number, max: number): number =>
      readNumber(name, values[name] ?? fallback, { min: 0, max, isWhole: false });
    const spread = SPREADS.find((known) => known === (values.durations ?? 'exponential'));
    if (spread === undefined) throw new Error(`--durations must be one of ${SPREADS.join(', ')}`);
    const owners = whole('owners', 200);
    return {
      tasks: whole('tasks', 10_000),
      runners: whole('runners', 100),
      owners,
      repos: whole('repos', owners),
      files: whole('files', 1_000),
      zipf: share('zipf', 0.8, 10),
      whole: share('whole', 0.001, 1),
      meanMs: whole('mean-ms', 60_000),
      spread,
      load: share('load', 0.9, 100),
      quota: values.quota === undefined ? undefined : whole('quota', 1),
      keepAfterMs: whole('keep-after-ms', 60_000, 0),
      seed: whole('seed', 1, 0),
      bench: values.bench,
      json: values.json,
      taskFiles: positionals,
    };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return undefined;
  }
}

function readNumber(
  name: string,
  given: unknown,
  { min, max = 100_000_000, isWhole }: { readonly min: number; readonly max?: number; readonly isWhole: boolean },
): number {
  const value = String(given).trim() === '' ? Number.NaN : Number(given);
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value;
  throw new Error(`--${name} must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}; given ${String(given)}`);
}

const options = readOptions();
if (options === undefined) process.exitCode = 2;
else if (options === 'help') process.stdout.write(HELP);
else {
  try {
    process.exitCode = await main(options);
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    process.stderr.write(`${error.message}\n${error.next}\n`);
    process.exitCode = 2;
  }
}
