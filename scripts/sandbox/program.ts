/** A Node process that runs a TypeScript file of this project and ends with its parent, however that ends. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What is started. */
export interface ProgramOptions {
  /** How messages call it. */
  readonly name: string;
  readonly file: URL;
  readonly cwd: string;
  readonly args?: readonly string[];
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** More options for Node itself. */
  readonly execArgv?: readonly string[];
}

/** After this a process that was asked to stop is killed. */
const GRACE_MS = 8_000;
const LINES_KEPT = 2_000;

/** Loads TypeScript in a process that is not started by `tsx` itself. */
export const TSX: readonly string[] = ['--import', import.meta.resolve('tsx')];
const LEASH: readonly string[] = ['--import', new URL('./leash.ts', import.meta.url).href];

/** A process that was started. */
export class Program {
  readonly name: string;
  readonly pid: number;
  /** The last lines that it printed, on stdout or stderr. */
  readonly lines: string[] = [];
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.child = child;
    this.pid = child.pid ?? 0;
    this.exited = once(child, 'exit').catch(() => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#keep(line));
    }
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** SIGTERM, then SIGKILL; resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), GRACE_MS);
    await this.exited;
    clearTimeout(timer);
  }

  #keep(line: string): void {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
  }
}

/**
 * Starts a program, in a process group of its own: a Ctrl-C in the terminal reaches this process only, which then stops
 * the others in order.
 */
export function startProgram({ name, file, cwd, args = [], env = {}, execArgv = [] }: ProgramOptions): Program {
  const child = fork(fileURLToPath(file), [...args], {
    cwd,
    env: { ...process.env, ...env },
    execArgv: [...TSX, ...LEASH, ...execArgv],
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  return new Program(name, child);
}
