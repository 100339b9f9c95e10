import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cgroup } from './cgroup.ts';
import { INIT_SAYS, type Wall, walledIn } from './isolation.ts';
import { killTree, processesOf, RUN_MARKER, signalAll, type Tree } from './process-tree.ts';

/** How the first process of a step ended: by an exit code or a signal, or it never ran. */
export interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Set if the wall could not be put up: the command never ran. */
  readonly notStarted?: string;
}

/** What to start. */
export interface Start {
  readonly runId: string;
  readonly wall: Wall;
  /** Where it is put, if there are control groups here. */
  readonly cgroup: Cgroup | undefined;
  /** The command's file, found already, and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Becomes stdout and stderr. */
  readonly outputFd: number;
}

/** Between being asked to end and being killed. */
const GRACE_MS = 2_000;

/** How long the wrapper of a namespace may take to make its first process before it is killed itself. */
const WRAPPER_MS = 2_000;

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/** Shells do not name these when they ended a command, since so a user or a closed pipe ends one every day. */
const UNNAMED_SIGNALS: readonly string[] = ['SIGINT', 'SIGPIPE'];

/**
 * The processes of one step behind their wall.
 *
 * In a pid namespace our child is a wrapper (`setpriv`, which becomes `unshare`): its child is the namespace's init,
 * and the init's child is the command. The wrapper ends after the last process of the namespace has, so its end is the
 * proof of the step's death, and it is not signalled itself. At level `group` our child is the command.
 */
export class StepProcess {
  /** Resolves when the first process has ended; rejects if it could not be started. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #wall: Wall;
  readonly #tree: Tree;
  #ended = false;

  /** Starts it. Throws or rejects `exited` if the system refuses. */
  constructor({ runId, wall, cgroup, command, cwd, env, outputFd }: Start) {
    const [file = '', ...args] = walledIn(wall, cgroup?.entrances ?? [], command);
    this.#wall = wall;
    this.#child = spawn(file, args, {
      cwd,
      env: { ...env, [RUN_MARKER]: runId },
      // A session of its own: no terminal, and its pid is the process group's.
      detached: true,
      stdio: ['ignore', outputFd, wall.level === 'pidns' ? 'pipe' : outputFd],
    });
    this.#tree = { runId, pid: this.#child.pid, cgroup };
    this.exited = this.#waitForExit();
  }

  /** The process group of the step. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The living processes of the step, those of its wall included. */
  get pids(): number[] {
    return processesOf(this.#tree);
  }

  /** Asks all of the step to end, and kills it 2 s later. */
  async terminate(): Promise<void> {
    // The init of a namespace is asked too: the kernel drops what it has no handler for.
    signalAll(this.#inside(), 'SIGTERM');
    const graceEnds = performance.now() + GRACE_MS;
    while (!this.#ended && performance.now() < graceEnds) await delay(FIRST_PAUSE_MS);
    if (!this.#ended) await this.kill();
  }

  /** Kills all of the step; resolves when its first process has ended. */
  async kill(): Promise<void> {
    if (this.#wall.level === 'group') return killTree(this.#tree);
    const patienceEnds = performance.now() + WRAPPER_MS;
    for (let pauseMs = FIRST_PAUSE_MS; !this.#ended; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const inside = this.#inside();
      signalAll(inside, 'SIGKILL');
      if (inside.length === 0 && performance.now() > patienceEnds) this.#child.kill('SIGKILL');
      await delay(pauseMs);
    }
  }

  /** After `exited`: kills what the first process has left behind and resolves when nothing of the step lives. */
  async killRest(): Promise<void> {
    const wrapperWasKilled = this.#child.signalCode !== null;
    if (this.#wall.level === 'group' || wrapperWasKilled) await killTree(this.#tree);
  }

  #inside(): number[] {
    const pids = processesOf(this.#tree);
    return this.#wall.level === 'group' ? pids : pids.filter((pid) => pid !== this.pid);
  }

  async #waitForExit(): Promise<Exit> {
    let said = '';
    this.#child.stderr?.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(0, 2_000);
    });
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, string | null];
    this.#ended = true;
    if (code === null || this.#wall.level === 'group') return { exitCode: code, signal };
    return readInit(code, said);
  }
}

/** Reads what a namespace's init tells: a signal shows as 128 + n and a word about it on the init's own stderr. */
function readInit(code: number, said: string): Exit {
  if (!said.includes(INIT_SAYS.up)) {
    return { exitCode: null, signal: null, notStarted: `the namespace of the step could not be made: ${said.trim()}` };
  }
  // Without its last word the init was killed, and the whole namespace with it.
  if (!said.includes(INIT_SAYS.down)) return { exitCode: null, signal: 'SIGKILL' };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  const saidMore = said.replace(INIT_SAYS.up, '').replace(INIT_SAYS.down, '').trim() !== '';
  const wasSignal = name !== undefined && (saidMore || UNNAMED_SIGNALS.includes(name));
  return wasSignal ? { exitCode: null, signal: name } : { exitCode: code, signal: null };
}
