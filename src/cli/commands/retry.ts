/** `signalbox retry`: runs an ended task again, as a new one. */

import { report } from '../await/report.ts';
import { command } from '../command.ts';

interface RetryOptions {
  readonly wait?: boolean;
}

/** Queues an ended task anew. */
export const retry = command<RetryOptions>({
  name: 'retry <id>',
  summary: 'run an ended task again, as a new task',
  details: `The new task points to the old one (\`retryOf\`) and has neither its idempotency key nor its dependencies. Its
id is printed. --wait is as with submit.`,
  json: '{tasks:[{id,state,duplicate}]}',
  examples: ['signalbox retry ID', 'signalbox retry ID --wait'],
  options: (made) => made.option('--wait', 'wait until it has ended, and show how it goes'),
  run: async ({ args, options, out, connect }) => {
    await using box = await connect();
    const accepted = await box.retry(args[0] ?? '');
    if (options.wait === true) return await report({ box, out, accepted: [accepted] });
    out.data({ tasks: [accepted] }, () => accepted.id);
    return undefined;
  },
});
