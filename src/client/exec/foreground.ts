/**
 * Runs a command as if the user had typed it: with the caller's own stdin, stdout and stderr.
 *
 * In a terminal it stays in the caller's process group, so that it can read and ask there, and Ctrl-C reaches it by the
 * terminal: SIGINT and SIGQUIT are not passed on then, else it would hear them twice. Elsewhere it gets a group of its
 * own, and every signal is passed on to the whole of it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { SignalboxError } from '../../errors.ts';
import { killTree, processesOf, RUN_MARKER, signalAll } from '../../runner/supervisor/process-tree.ts';

/** What to run. */
export interface ForegroundOptions {
  /** The command's file, found already, its name as typed, and its arguments. */
  readonly file: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Put into the environment, so that all that it starts is found. */
  readonly runId: string;
  readonly isInTerminal: boolean;
}

const FROM_THE_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** A command that runs in the foreground. */
export class Foreground {
  /** Resolves when it has ended, with its exit code, or 128 + the number of the signal that ended it. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  readonly #options: ForegroundOptions;

  private constructor(child: ChildProcess, options: ForegroundOptions) {
    this.#child = child;
    this.#options = options;
    this.ended = once(child, 'exit').then(([code, signal]) => exitCodeOf(code as number, signal as NodeJS.Signals));
  }

  /** Starts it. Throws `INVALID` with the field `command` if the system cannot run the file. */
  static async start(options: ForegroundOptions): Promise<Foreground> {
    const { file, argv, env, runId, isInTerminal } = options;
    const [name = file, ...args] = argv;
    const child = spawn(file, args, {
      argv0: name,
      env: { ...env, [RUN_MARKER]: runId },
      stdio: 'inherit',
      detached: !isInTerminal,
    });
    const foreground = new Foreground(child, options);
    foreground.ended.catch(() => {});
    try {
      await once(child, 'spawn');
    } catch (error) {
      throw notRunnable(name, (error as NodeJS.ErrnoException).code ?? String(error));
    }
    return foreground;
  }

  /** Its first process. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Passes on a signal that this process got. */
  forward(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (!this.#options.isInTerminal) signalAll([-pid], signal);
    else if (!FROM_THE_KEYBOARD.includes(signal)) signalAll([pid], signal);
  }

  /** Asks it and all that it has started to end, and kills what is left after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    const tree = { runId: this.#options.runId, pid: this.pid };
    signalAll(processesOf(tree), 'SIGTERM');
    await Promise.race([this.ended, delay(graceMs)]);
    await killTree(tree);
  }
}

/** The error for a file that cannot be run. */
export function notRunnable(name: string, why: string): SignalboxError {
  return new SignalboxError('INVALID', `The command \`${name}\` cannot be run: ${why}.`, {
    field: 'command',
    next: 'Correct the command after `--`; what the shell alone knows goes into `sh -c`.',
  });
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
