/**
 * Ends a child process when this process dies, however it dies.
 *
 * A `kill -9` runs no exit handler. The guard is a tiny shell that reads a pipe whose other end only this process
 * holds: the kernel closes it at death, the shell sees the end of the file and runs one command. This works wherever
 * there is `sh`; a parent-death signal is Linux's alone and would fire when the spawning *thread* ends.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

const AT_END_OF_FILE = 'cat >/dev/null; "$@"';

/** A guard that stands until it is dismissed. */
export interface ParentGuard {
  /** Takes the guard away without running its command; call it once what it guards has ended. */
  dismiss(): Promise<void>;
}

/**
 * Runs `command` (argv) as soon as this process is gone.
 *
 * The guard has a session of its own, so that Ctrl-C in a terminal does not take it away before it is needed.
 */
export function guardAgainstParentDeath(command: readonly string[]): ParentGuard {
  const guard = spawn('sh', ['-c', AT_END_OF_FILE, 'sh', ...command], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = once(guard, 'exit').catch(() => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return {
    async dismiss() {
      guard.ref();
      // SIGKILL before the pipe closes: at the end of the file it would run its command against a pid that is free.
      killGroup(guard.pid);
      await ended;
    },
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
