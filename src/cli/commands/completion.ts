/** `signalbox completion`: what a shell needs to complete what is typed. */

import { type Command, Option } from 'commander';
import { type Context, command } from '../command.ts';
import { lookUpValues } from '../completion/look-up.ts';
import { COMPLETE, FILES_LINE, SCRIPTS, SHELLS } from '../completion/scripts.ts';
import { complete } from '../completion/words.ts';
import { usage } from '../errors.ts';

interface CompletionOptions {
  readonly completeWords?: boolean;
}

/** Prints the script of a shell, which asks this very command what may be typed next. */
export const completion = command<CompletionOptions>({
  name: 'completion [shell...]',
  summary: 'print the script that lets bash, zsh or fish complete commands, options and ids',
  details: `The script asks signalbox itself what may be typed next, so it needs no renewal. It completes commands, options and
their values, the ids of the newest tasks, presets, limits and workers; the last four need the queue, and are left
out where it cannot be reached.`,
  json: '{shell,script}',
  examples: [
    'eval "$(signalbox completion bash)"',
    'signalbox completion zsh > "${fpath[1]}/_signalbox"',
    'signalbox completion fish | source',
  ],
  options: (made) => made.addOption(new Option(`--${COMPLETE}`).hideHelp()),
  run: async (context) => {
    const { args, options, out, program } = context;
    if (options.completeWords === true) {
      const lines = await answer(context, program);
      if (lines.length > 0) out.raw(`${lines.join('\n')}\n`);
      return undefined;
    }
    const shell = SHELLS.find((name) => name === args[0]);
    if (shell === undefined || args.length > 1)
      throw usage('Completion is there for bash, zsh and fish.', 'Type `signalbox completion bash`, zsh or fish.');
    out.data({ shell, script: SCRIPTS[shell] }, () => SCRIPTS[shell].trimEnd());
    return undefined;
  },
});

/** Says nothing rather than an error: it is asked while somebody types. */
async function answer(context: Context<CompletionOptions>, program: Command): Promise<string[]> {
  const { words, lookup, files } = complete(program, context.args);
  const found = lookup === undefined ? [] : await lookUpValues(lookup, context).catch(() => []);
  const current = context.args.at(-1) ?? '';
  return [...[...words, ...found].filter((word) => word.startsWith(current)), ...(files ? [FILES_LINE] : [])];
}
