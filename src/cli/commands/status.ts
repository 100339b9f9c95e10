/** `signalbox status`: the whole queue at a glance, once or as it changes. */

import type { Signalbox } from '../../client/signalbox.ts';
import { command } from '../command.ts';
import { usage } from '../errors.ts';
import type { Output } from '../output.ts';
import { statusPage } from '../status/page.ts';
import { titlesOf } from '../status/titles.ts';
import { watchStatus } from '../status/watch.ts';

interface StatusOptions {
  readonly watch?: boolean;
}

/** Shows the counts, the workers and what runs. */
export const status = command<StatusOptions>({
  name: 'status',
  summary: 'show the queue, its workers and what they run',
  details: `With --watch it is drawn again whenever something changes, until q or Ctrl-C; where there is no terminal,
each change is printed below the last. A line says what runs in which phase, how far it is by what such tasks
took before, and of what waits for what and whom. The lines are cut to the size of the terminal; what has no room
is counted.`,
  json: `{maxParallelRunners,paused,queued,scheduled,blocked,running,finished,
workers:[{id,name,host,pid,concurrency,running,leaseMs}],runners:[{id,taskId,workerId,phase,workspace,startedAt,claims:[{repo,resource,mode}]}]}`,
  examples: ['signalbox status', 'signalbox status --watch', 'signalbox status --json'],
  options: (made) => made.option('-w, --watch', 'draw it again whenever something changes'),
  run: async ({ options, out, connect }) => {
    if (options.watch === true && out.json)
      throw usage('--watch and --json cannot be given together.', 'Ask again with `signalbox status --json`.');
    await using box = await connect();
    if (options.watch === true) await watchStatus(box, out);
    else await showOnce(box, out);
    return undefined;
  },
});

async function showOnce(box: Signalbox, out: Output): Promise<void> {
  const now = await box.status();
  const titles = out.json ? new Map<string, string>() : await titlesOf(box, now.runners);
  out.data(now, () => statusPage({ status: now, titles, paint: out.paint, width: out.width }));
}
