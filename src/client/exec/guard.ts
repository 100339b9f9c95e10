/** A process beside `exec` that ends the command when `exec` cannot: killed, stopped, or hung. See `guard-program.ts`. */

import { once } from 'node:events';
import { SignalboxError } from '../../errors.ts';
import { endOf, startOwnProgram } from '../../own-program.ts';
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
  const child = startOwnProgram({ name: 'exec-guard', args: [runId], env: { PATH: path } });
  const exited = endOf(child);
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
