/** `signalbox worker`: one worker in the foreground. */

import { loadConfig } from '../../config/config.ts';
import { processSources } from '../../config/process.ts';
import { runWorkerProcess } from '../../runner/worker-process.ts';
import { collect, command } from '../command.ts';
import { makePlace } from '../up/place.ts';
import { duration, wholeNumber } from '../values.ts';

interface WorkerOptions {
  readonly concurrency?: number;
  readonly name?: string;
  readonly drain?: number;
  readonly notify?: readonly string[];
}

/** Runs a worker until it is signalled. */
export const worker = command<WorkerOptions>({
  name: 'worker',
  summary: 'run one worker process in the foreground',
  details: `It takes tasks from the queue and runs up to --concurrency of them at a time. Its log goes to stderr, as
JSON lines. SIGTERM or SIGINT drains it: it takes nothing more, and what has not ended after --drain
goes back to the queue, uncharged. A second signal hurries: all goes back at once; a third ends it as it is.`,
  json: '{id}, once it takes tasks',
  examples: ['signalbox worker', 'signalbox worker --concurrency 4 --name build-1', 'signalbox worker --drain 5m'],
  options: (made) =>
    made
      .option('--concurrency <n>', 'how many tasks it runs at a time (SIGNALBOX_CONCURRENCY)', wholeNumber(1))
      .option('--name <name>', 'how it is shown (default: its id)')
      .option('--notify <url>', 'who is told of failed and blocked tasks (SIGNALBOX_NOTIFY); may be repeated', collect)
      .option(
        '--drain <duration>',
        'how long runs may go on after a signal (SIGNALBOX_DRAIN_TIMEOUT, else 25s)',
        duration,
      ),
  run: async ({ options, flags, out }) => {
    const sources = processSources();
    const { concurrency, name, drain, notify } = options;
    const config = loadConfig({ ...sources, flags: { ...flags, concurrency, drainTimeout: drain, notify } });
    await makePlace(config.dataDir);
    const code = await runWorkerProcess({
      config,
      env: sources.env,
      name,
      onReady: ({ id }) => {
        if (out.json) out.data({ id }, () => '');
      },
    });
    // One that could not stop in order still holds what keeps a process alive.
    if (code !== 0) process.exit(code);
    return undefined;
  },
});
