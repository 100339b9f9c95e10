/**
 * A worker that `signalbox up` forks (see src/cli/up/). Its configuration comes from the environment; its argument is its
 * name. It tells its parent when it takes tasks, or why it cannot, and ends with it.
 */
import { loadConfig } from '../src/config/config.ts';
import { SignalboxError } from '../src/errors.ts';
import { runWorkerProcess } from '../src/runner/worker-process.ts';
import { startTracing } from '../src/telemetry/tracing.ts';

const [name] = process.argv.slice(2);
const stopTracing = await startTracing(process.env);
try {
  const code = await runWorkerProcess({
    config: loadConfig({ env: process.env, cwd: process.cwd() }),
    env: process.env,
    name,
    onReady: ({ id }) => process.send?.({ ready: id }),
  });
  await stopTracing();
  process.exit(code);
} catch (error) {
  if (error instanceof SignalboxError) process.send?.({ error });
  console.error(error);
  process.exit(error instanceof SignalboxError ? error.exitCode : 1);
}
