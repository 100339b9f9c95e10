/** What the bench can be told. */

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Question } from './question.ts';
import { BY_DEFAULT, ON_REQUEST } from './questions/all.ts';

const describe = ({ name, asks }: Question): string => `  ${name.padEnd(12)}${asks}`;

/** What `--help` prints. */
export const HELP = `usage: npm run bench [-- options]

Measures Signalbox, and what it is compared with in the same run: on a private Redis, by turns. Prints a table a
question and, at the end, the targets with what was reached; no speed is asserted.

Asked by default, in less than 15 minutes on two cores:
${BY_DEFAULT.map(describe).join('\n')}

Only when named:
${ON_REQUEST.map(describe).join('\n')}

  --only NAMES     some of these, with commas between
  --runs N         how often each measurement is repeated; by default as often as it has time for, which its table says
  --seed N         what the tasks are drawn from (1)
  --quick          everything once, and little of it: to see that the bench works
  --profile DIR    per question: CPU profiles of the workers, and what Redis spent its time on
  --html FILE      where the page with the curves goes (bench.html in the current folder)
  --json           prints one JSON value on stdout, and everything else on stderr
  --help           shows this

Exit codes: 0 measured, 1 two tasks overlapped, a waiter was not woken or the bench failed, 2 wrong usage, 130 stopped.
`;

/** What it was told. */
export interface Options {
  readonly questions: readonly Question[];
  readonly runs: number | undefined;
  readonly seed: number;
  readonly quick: boolean;
  readonly profileDir: string | undefined;
  readonly html: string;
  readonly json: boolean;
}

/** Reads the arguments; `help` when that is wanted. Throws an error that says what is wrong. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { only: text, runs: text, seed: text, quick: flag, profile: text, html: text, json: flag, help: flag },
  });
  const { only, runs, seed = '1', quick, profile, html = 'bench.html', json, help } = values;
  if (help) return 'help';
  if (runs !== undefined && !/^[1-9]\d{0,2}$/.test(runs))
    throw new Error('--runs must be a whole number from 1 to 999');
  if (!/^\d{1,9}$/.test(seed)) throw new Error('--seed must be a whole number');
  return {
    questions: only === undefined ? BY_DEFAULT : named(only),
    runs: runs === undefined ? undefined : Number(runs),
    seed: Number(seed),
    quick,
    profileDir: profile === undefined ? undefined : resolve(profile),
    html: resolve(html),
    json,
  };
}

function named(list: string): Question[] {
  const all = [...BY_DEFAULT, ...ON_REQUEST];
  return list.split(',').map((name) => {
    const question = all.find((one) => one.name === name.trim());
    if (question === undefined) {
      throw new Error(`--only ${name}: there is no such question; there are ${all.map((one) => one.name).join(', ')}`);
    }
    return question;
  });
}
