/** From arguments to an exit code. */

import { CommanderError } from 'commander';
import { processSources } from '../config/process.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { readError, usageError } from './errors.ts';
import { Output } from './output.ts';
import { createProgram } from './program.ts';

/** Runs one command. Answers its exit code: 0 ok, 1 failed, 2 usage, 3 conflict, 4 awaited task failed, 5 unreachable. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const { env } = processSources();
  const out = new Output({ json: wantsJson(argv), env, stdout: process.stdout, stderr: process.stderr });
  const stopTracing = await startTracing(env);
  let exitCode = 0;
  const setExitCode = (code: number): void => {
    exitCode = code;
  };
  const program = await createProgram({ out, setExitCode }, argv);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help' && !out.json) {
      out.note(program.helpInformation().trimEnd());
      return 2;
    }
    const told = error instanceof CommanderError ? usageError(error, program, argv) : readError(error);
    out.error(told, env['SIGNALBOX_LOG_LEVEL'] === 'debug' ? error : undefined);
    return told.exitCode;
  } finally {
    await stopTracing();
  }
}

/** Asked of the bare arguments, since an error may come before they are understood. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? undefined : end).includes('--json');
}
