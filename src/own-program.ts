/** Starts the programs in `workers/` as processes of their own. */

import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** How to start one. */
export interface OwnProgram {
  /** Its file in `workers/`, without the ending. */
  readonly name: 'exec-guard' | 'git-fork-server' | 'session-holder' | 'supervisor' | 'worker';
  readonly args?: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: that of this process. */
  readonly cwd?: string;
  /** Where stdout and stderr go; default nowhere. */
  readonly output?: readonly ['ignore' | number, 'ignore' | 'pipe' | number];
  /** How messages travel; `advanced` for large ones. Default `json`. */
  readonly serialization?: ForkOptions['serialization'];
}

/** What of its stderr is kept, to say why it ended. */
const COMPLAINT_LENGTH = 2_000;

/**
 * Starts a program with a channel for messages, in a session of its own: what a terminal sends (Ctrl-C, Ctrl-Z, a hang-up)
 * reaches the process that has started it alone. From source (tests, development) it is run by tsx, as this file is.
 */
export function startOwnProgram({
  name,
  args = [],
  output = ['ignore', 'ignore'],
  ...options
}: OwnProgram): ChildProcess {
  const fromSource = import.meta.url.endsWith('.ts');
  const program = new URL(`../workers/${name}.${fromSource ? 'ts' : 'js'}`, import.meta.url);
  const tsx = (): string => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return fork(fileURLToPath(program), args, {
    ...options,
    detached: true,
    execArgv: fromSource ? ['--import', tsx()] : [],
    stdio: ['ignore', ...output, 'ipc'],
  });
}

/** Resolves when a program has ended, with a clause that says how, as `it was killed by SIGKILL`. Never rejects. */
export function endOf(child: ChildProcess): Promise<string> {
  let complaint = '';
  child.stderr?.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(-COMPLAINT_LENGTH);
  });
  return new Promise((resolve) => {
    child.on('error', ({ message }) => {
      // What was never started tells of no exit.
      if (child.pid === undefined) resolve(`it could not be started: ${message}`);
    });
    child.on('exit', (code, signal) => {
      resolve(signal === null ? `it exited with code ${code}. ${complaint}`.trim() : `it was killed by ${signal}`);
    });
  });
}
