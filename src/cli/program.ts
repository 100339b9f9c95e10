/** The program: every command, and the options that all of them take. */

import { Command } from 'commander';
import type { Adder, Shared } from './command.ts';
import { version } from './version.ts';
import { wordsOf } from './words.ts';

/** In the order of the help: begin, look, steer, keep house. What they stand on takes a second to load, all together. */
const COMMANDS: Readonly<Record<string, () => Promise<Adder>>> = {
  init: async () => (await import('./commands/init.ts')).init,
  up: async () => (await import('./commands/up.ts')).up,
  worker: async () => (await import('./commands/worker.ts')).worker,
  dashboard: async () => (await import('./commands/dashboard.ts')).dashboard,
  submit: async () => (await import('./commands/submit.ts')).submit,
  plan: async () => (await import('./commands/plan.ts')).plan,
  list: async () => (await import('./commands/list.ts')).list,
  show: async () => (await import('./commands/show.ts')).show,
  logs: async () => (await import('./commands/logs.ts')).logs,
  status: async () => (await import('./commands/status.ts')).status,
  claims: async () => (await import('./commands/claims.ts')).claims,
  explain: async () => (await import('./commands/explain.ts')).explain,
  cancel: async () => (await import('./commands/cancel.ts')).cancel,
  retry: async () => (await import('./commands/retry.ts')).retry,
  pause: async () => (await import('./commands/pause.ts')).pause,
  resume: async () => (await import('./commands/pause.ts')).resume,
  drain: async () => (await import('./commands/drain.ts')).drain,
  exec: async () => (await import('./commands/exec.ts')).exec,
  claim: async () => (await import('./commands/claim.ts')).claim,
  hook: async () => (await import('./commands/hook.ts')).hook,
  mcp: async () => (await import('./commands/mcp.ts')).mcp,
  limits: async () => (await import('./commands/limits.ts')).limits,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  prune: async () => (await import('./commands/prune.ts')).prune,
  export: async () => (await import('./commands/export.ts')).exportTasks,
  import: async () => (await import('./commands/import.ts')).importTasks,
  completion: async () => (await import('./commands/completion.ts')).completion,
};

const HELP_END = `
Begin:
  $ signalbox up
  $ signalbox submit --run 'npm update' --test 'npm test' --write package.json --wait

Exit codes: 0 ok · 1 failed · 2 usage or invalid task · 3 conflict · 4 an awaited task failed · 5 Redis or
the remote cannot be reached.`;

/**
 * Builds the program. Of the commands that `argv` does not name there are only the names, unless it names none. It
 * throws CommanderError instead of ending the process.
 */
export async function createProgram(shared: Shared, argv: readonly string[] = []): Promise<Command> {
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
  const named = wordsOf(program, argv).filter((word) => Object.hasOwn(COMMANDS, word));
  for (const [name, load] of Object.entries(COMMANDS)) {
    if (named.length > 0 && !named.includes(name)) program.command(name);
    else (await load())(program, shared);
  }
  return program;
}
