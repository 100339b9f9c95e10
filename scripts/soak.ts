/** Plays random faults on a fleet for as long as one likes, and checks the invariants at the end of each round. */

import { parseArgs } from 'node:util';
import { compilePrograms } from '../test/support/system/build.ts';
import { MUST_OCCUR, playRound, type Tally } from '../test/support/system/soak/round.ts';

const HELP = `usage: npm run soak -- [options]

Tasks flow through a fleet of worker processes on a private Redis, while workers are killed, stopped and cut off, Redis
stands still or dies, pushes hang and remotes die, drawn at random. After each round the queue comes to rest without
help, and every invariant is checked: no task lost, none published twice, no two that exclude each other at work at
once, nothing left behind. A failure names the seed of its round.

  --minutes N   how long in all (default 5)
  --seed S      where chance begins; the rounds have S, S+1, … (default 1)
  --round SECS  how long faults strike in a round (default 90)
  --workers N   worker processes (default 3)
  --verbose     says what strikes, when it strikes
  --help        shows this

Exit codes: 0 all held, and every kind of event that a soak of at least 10 minutes must show occurred; 1 not so; 2 wrong usage.
`;

/** A shorter soak need not meet everything. */
const LONG_MINUTES = 10;

function number(name: string, given: string | undefined, usual: number): number {
  const value = given === undefined ? usual : Number(given);
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(`--${name} must be a number above 0, not \`${given}\``);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function add(sum: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
}

function list(counts: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return rows.map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`).join('\n');
}

interface Soak {
  readonly minutes: number;
  readonly seed: number;
  readonly roundMs: number;
  readonly workers: number;
  readonly verbose: boolean;
}

/** Plays all rounds; answers how many went wrong. */
async function play({ minutes, seed, roundMs, workers, verbose }: Soak, program: string): Promise<number> {
  const leave = new AbortController();
  process.once('SIGINT', () => leave.abort());
  const place = { program, redisUrl: '' };
  const endAt = performance.now() + minutes * 60_000;
  const [faults, events]: Record<string, number>[] = [{}, {}];
  let [rounds, tasks, wrong] = [0, 0, 0];
  while (performance.now() < endAt && !leave.signal.aborted) {
    const round = seed + rounds;
    const forMs = Math.max(1_000, Math.min(roundMs, endAt - performance.now()));
    const note = (text: string): void => void (verbose && say(`  ${new Date().toISOString()} ${text}`));
    const tally = await playRound({ seed: round, forMs, workers, place, note, signal: leave.signal }).catch(
      (error: unknown): Tally | undefined => {
        say(
          `WRONG in the round with --seed ${round}:\n${error instanceof Error ? `${error.message}\n${error.stack}` : String(error)}`,
        );
        return undefined;
      },
    );
    rounds += 1;
    if (tally === undefined) wrong += 1;
    else {
      tasks += tally.tasks;
      add(faults ?? {}, tally.faults);
      add(events ?? {}, tally.events);
      say(`round ${rounds}, seed ${round}: ${tally.tasks} tasks, all invariants hold`);
    }
  }
  say(`\nwhat struck:\n${list(faults ?? {})}\n\nwhat the workers told:\n${list(events ?? {})}`);
  const missing = MUST_OCCUR.filter((type) => events?.[type] === undefined || events[type] === 0);
  if (missing.length > 0) say(`\ndid not occur: ${missing.join(', ')}`);
  say(`\n${rounds} rounds, ${tasks} tasks, ${wrong} rounds went wrong`);
  return wrong + (minutes >= LONG_MINUTES ? missing.length : 0);
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: { minutes: text, seed: text, round: text, workers: text, verbose: flag, help: flag },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const soak = {
    minutes: number('minutes', values.minutes, 5),
    seed: number('seed', values.seed, 1),
    roundMs: number('round', values.round, 90) * 1_000,
    workers: number('workers', values.workers, 3),
    verbose: values.verbose === true,
  };
  const { workerProgram, clean } = compilePrograms();
  try {
    return (await play(soak, workerProgram)) === 0 ? 0 : 1;
  } finally {
    clean();
  }
}

try {
  // Now, since a round that went wrong may still be waiting for something.
  process.exit(await main());
} catch (error) {
  if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
  process.stderr.write(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
