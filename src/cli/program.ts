/** The program: every command, and the options that all of them take. */

import { createRequire } from 'node:module';
import { Command } from 'commander';
import type { Adder, Shared } from './command.ts';
import { cancel } from './commands/cancel.ts';
import { claim } from './commands/claim.ts';
import { claims } from './commands/claims.ts';
import { dashboard } from './commands/dashboard.ts';
import { doctor } from './commands/doctor.ts';
import { drain } from './commands/drain.ts';
import { exec } from './commands/exec.ts';
import { explain } from './commands/explain.ts';
import { exportTasks } from './commands/export.ts';
import { importTasks } from './commands/import.ts';
import { limits } from './commands/limits.ts';
import { list } from './commands/list.ts';
import { logs } from './commands/logs.ts';
import { pause, resume } from './commands/pause.ts';
import { plan } from './commands/plan.ts';
import { prune } from './commands/prune.ts';
import { retry } from './commands/retry.ts';
import { show } from './commands/show.ts';
import { status } from './commands/status.ts';
import { submit } from './commands/submit.ts';
import { up } from './commands/up.ts';
import { worker } from './commands/worker.ts';

/** In the order of the help: begin, look, steer, keep house. */
const COMMANDS: readonly Adder[] = [
  up,
  worker,
  dashboard,
  submit,
  plan,
  list,
  show,
  logs,
  status,
  claims,
  explain,
  cancel,
  retry,
  pause,
  resume,
  drain,
  exec,
  claim,
  limits,
  doctor,
  prune,
  exportTasks,
  importTasks,
];

const HELP_END = `
Begin:
  $ signalbox up
  $ signalbox submit --run 'npm update' --test 'npm test' --write package.json --wait

Exit codes: 0 ok · 1 failed · 2 usage or invalid task · 3 conflict · 4 an awaited task failed · 5 Redis or
the remote cannot be reached.`;

/** Builds the program. It throws CommanderError instead of ending the process. */
export function createProgram(shared: Shared): Command {
  const program = new Command('signalbox')
    .description(
      'Runs repository tasks in parallel, on many machines, without two of them on one branch or one file at once.',
    )
    .version(version(), '-V, --version', 'print the version')
    .option('--json', 'print one JSON value on stdout; messages go to stderr')
    .option('--redis-url <url>', 'the Redis that holds the queue (REDIS_URL)')
    .option('--queue <name>', 'the queue (SIGNALBOX_QUEUE)')
    .option('--data <folder>', 'the data folder of this machine (SIGNALBOX_DATA)')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => title })
    .configureOutput({ writeErr: () => {} })
    .addHelpText('after', HELP_END)
    .exitOverride();
  for (const add of COMMANDS) add(program, shared);
  return program;
}

/** From the package's own file, which is one or two folders further up once it is built. */
function version(): string {
  const { version: number } = createRequire(import.meta.url)('signalbox/package.json') as { version: string };
  return number;
}
