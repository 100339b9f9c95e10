/** `signalbox limits`: what is limited, shown and set. */

import type { Limits } from '../../client/limits.ts';
import { checkLimitName, readLimit } from '../../waiting/limits.ts';
import { command } from '../command.ts';
import { fields } from '../format.ts';
import type { Output } from '../output.ts';

const SHAPE = '{limits:{max_parallel_runners,"owner:NAME","spec:NAME","resource:NAME","weight:OWNER"}}';

const set = command({
  name: 'set <name> <value>',
  summary: 'set a limit; `none` takes it away',
  details: `It holds for the whole fleet from now on, whatever the configuration of workers says. One that is raised lets
tasks start at once; one that is lowered below what runs stops nothing, and lets nothing start until it fits.

max_parallel_runners is how many tasks run at the same time in all; owner:NAME and spec:NAME, how many of that owner
or spec; resource:NAME, how many there are of what tasks name in \`claims.resources\`; weight:OWNER, an owner's share
beside other owners, 1 unless it is set.`,
  json: `${SHAPE}, those in force`,
  examples: [
    'signalbox limits set max_parallel_runners 8',
    'signalbox limits set owner:team-a 3',
    'signalbox limits set resource:staging-db 1',
    'signalbox limits set weight:team-a 2',
    'signalbox limits set owner:team-a none',
  ],
  run: async ({ args, out, connect }) => {
    const [name = '', value = ''] = args;
    checkLimitName(name);
    const number = value === 'none' ? null : readLimit(name, value);
    await using box = await connect();
    show(await box.setLimit(name, number), out);
    return undefined;
  },
});

/** Shows the limits in force. */
export const limits = command({
  name: 'limits',
  summary: 'show the limits in force, or set one',
  json: `${SHAPE}, those in force;
max_parallel_runners is null where there is none`,
  examples: ['signalbox limits', 'signalbox limits set max_parallel_runners 8'],
  commands: [set],
  run: async ({ out, connect }) => {
    await using box = await connect();
    show(await box.limits(), out);
    return undefined;
  },
});

function show(inForce: Limits, out: Output): void {
  out.data({ limits: inForce }, () =>
    fields(
      out.paint,
      Object.entries(inForce).map(([name, value]) => [name, value === null ? 'none' : String(value)] as const),
    ),
  );
}
