#!/usr/bin/env node
/** The command `signalbox`: reads arguments, runs one command, sets the exit code. */

import { runCli } from './run.ts';

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2));
