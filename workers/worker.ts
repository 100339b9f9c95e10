/**
 * A worker that `signalbox up` forks (see src/cli/up/). Its configuration comes from the environment; arguments are its
 * name and, in ms, how long it drains. It tells its parent when it takes tasks, or why it cannot, and ends with it.
 */
import { loadConfig } from '../src/config/config.ts';
import { SignalboxError } from '../src/errors.ts';
import { runWorkerProcess } from '../src/runner/worker-process.ts';

const [name, drainMs] = process.argv.slice(2);
try {
  const code = await runWorkerProcess({
    config: loadConfig({ env: process.env, cwd: process.cwd() }),
    env: process.env,
    name,
    drainMs: Number(drainMs),
    onReady: ({ id }) => process.send?.({ ready: id }),
  });
  process.exit(code);
} catch (error) {
  if (error instanceof SignalboxError) process.send?.({ error });
  console.error(error);
  process.exit(error instanceof SignalboxError ? error.exitCode : 1);
}
