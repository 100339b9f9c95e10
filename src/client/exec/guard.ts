/** A process beside `exec` that ends the command when `exec` cannot: killed, stopped, or hung. See `guard-program.ts`. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SignalboxError } from '../../errors.ts';
import { deadlineIn } from '../../runner/supervisor/clock.ts';
import type { GuardNews } from './guard-program.ts';

/** A guard that stands until it is dismissed. */
export interface Guard {
  /** Puts off the command's death: `ms` from now. */
  readonly extend: (ms: number) => void;
  /** Says which process to end; before that only the mark in the environment tells. */
  readonly watch: (pid: number | undefined) => void;
  /** Ends the guard and nothing else; call it once the command has ended. */
  readonly dismiss: () => Promise<void>;
}

/** What a guard is started with. */
export interface GuardOptions {
  /** The mark of the command, see `RUN_MARKER`. */
  readonly runId: string;
  /** Where to find programs. */
  readonly path: string;
  readonly deadlineMs: number;
}

/** Starts a guard and waits until it watches. Throws `INTERNAL` if it cannot be started. */
export async function startGuard({ runId, path, deadlineMs }: GuardOptions): Promise<Guard> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = fileURLToPath(new URL(`../../../workers/exec-guard.${extension}`, import.meta.url));
  const child = fork(program, [runId], {
    env: { PATH: path },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // A session of its own: neither Ctrl-C nor Ctrl-Z in a terminal may take it away.
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let deadline = deadlineIn(deadlineMs);
  let pid: number | undefined;
  // A guard that has gone cannot be told; the command goes on, held by `exec` alone.
  const tell = (news: GuardNews): void => {
    if (child.connected) child.send(news, () => {});
  };
  const ready = await Promise.race([once(child, 'message').then(() => true), exited.then(() => false)]);
  if (!ready) {
    throw new SignalboxError('INTERNAL', 'The process that guards the command could not be started.', {
      next: 'Try again; if it stays so, look whether this machine is out of memory or processes.',
    });
  }
  tell({ deadline, pid });
  return {
    extend: (ms) => {
      deadline = deadlineIn(ms);
      tell({ deadline, pid });
    },
    watch: (watched) => {
      pid = watched;
      tell({ deadline, pid });
    },
    dismiss: async () => {
      tell('done');
      await exited;
    },
  };
}
