/** `signalbox claim`: what a step does with the claims of its own run. */

import { processSources } from '../../config/process.ts';
import { askForMore } from '../claim/ask.ts';
import { collect, command } from '../command.ts';
import { usage } from '../errors.ts';

interface AddOptions {
  readonly read?: readonly string[];
}

const add = command<AddOptions>({
  name: 'add [paths...]',
  summary: 'claim further paths for the task that this step belongs to',
  details: `Returns when they are held: at once if nobody has them, else when the younger runs that have them are done. Where
an older task has one, this run makes way: it is stopped, keeps its work as a patch, and starts again later,
uncharged, with all of it claimed.`,
  json: '{claimed:{write,read}}',
  examples: ["signalbox claim add 'src/auth/**' package.json", 'signalbox claim add --read src/db/schema.ts'],
  options: (made) => made.option('--read <path>', 'claim this path shared, to read it; may be repeated', collect),
  run: async ({ args, options, out }) => {
    const { SIGNALBOX_SOCKET: socket } = processSources().env;
    if (socket === undefined || socket === '')
      throw usage(
        '`claim add` works inside a step only: there is no SIGNALBOX_SOCKET in the environment.',
        'Claim from the start what you know of, with `submit --write`.',
      );
    const claimed = { write: [...args], read: [...(options.read ?? [])] };
    if (claimed.write.length + claimed.read.length === 0)
      throw usage('There is no path to claim.', 'Name what the step is going to change, or read with `--read`.');
    await askForMore(socket, claimed);
    out.data({ claimed }, () => [...claimed.write, ...claimed.read.map((path) => `${path} (read)`)].join('\n'));
    return undefined;
  },
});

/** Only holds `add`. */
export const claim = command({
  name: 'claim',
  summary: 'claim more from inside a step',
  json: 'see `signalbox claim add`',
  examples: ["signalbox claim add 'src/auth/**'"],
  commands: [add],
  run: async () => {
    throw usage('What is to be done with the claim is missing.', 'Type `signalbox claim add PATH`.');
  },
});
