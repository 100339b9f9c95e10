/** `signalbox drain`: workers end what they run and leave. */

import { command } from '../command.ts';

interface DrainOptions {
  readonly wait?: boolean;
}

/** Drains workers. */
export const drain = command<DrainOptions>({
  name: 'drain [workers...]',
  summary: 'let workers end what they run and leave',
  details: `The workers that are named, by id or name, or else all that are there now, take no more tasks, end what they
run, however long that takes, and leave; what waits is for the others. One that \`up\` has started comes back with
the next \`up\`.`,
  json: '{workers:[{id,name}]}, those that were told',
  examples: ['signalbox drain build-1', 'signalbox drain build-1 build-2 --wait', 'signalbox drain'],
  options: (made) => made.option('--wait', 'wait until they have left'),
  run: async ({ args, options, out, connect }) => {
    const { wait = false } = options;
    await using box = await connect();
    const workers = await box.drain(args, { wait });
    out.data({ workers }, () => workers.map(({ name }) => `${name} ${wait ? 'has left' : 'drains'}`).join('\n'));
    if (!out.json && workers.length === 0) out.note('No worker is running.');
    return undefined;
  },
});
