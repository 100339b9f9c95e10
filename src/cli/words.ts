/** The arguments of a call. */

import type { Command } from 'commander';

/** Those that may name a command: all but the values of the program's own options. */
export function wordsOf(program: Command, argv: readonly string[]): string[] {
  const withValue = program.options.filter(({ required }) => required).map(({ long }) => long);
  return argv.filter((_word, i) => !withValue.includes(argv[i - 1]));
}
