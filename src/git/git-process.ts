/**
 * One git process, by Node's own spawn: a run starts a dozen, and a library between would cost each of them as much
 * processor time again as git needs itself.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';

/** What to start: plain data, so that another process can be told. */
export interface GitStart {
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string | undefined;
  /** Standard input comes from this file. */
  readonly inputFile?: string | undefined;
  /** Standard output goes to this file instead of into memory. */
  readonly outputFile?: string | undefined;
  /** `end` ends git alone, by force, and not what it has started, whatever that still says. */
  readonly endsAlone?: boolean | undefined;
}

/** How it ended; plain data. */
export interface GitExit {
  /** -1 when a signal ended it, or it never ran. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it ran at all. */
  readonly ran: boolean;
  /** Why it never ran, or was ended before it had said all. */
  readonly failure?: { readonly message: string /** As `ENOENT`, of the start alone. */; readonly code?: string };
}

/** A process that runs, or is about to, or could not be started. */
export interface GitProcess {
  /** Resolves when it has ended and nothing more is said. Never rejects. */
  readonly ended: Promise<GitExit>;
  /**
   * Ends it, and all that it has started: what is left of them when it has ended goes by force, before `ended` resolves.
   * Harmless when it has ended.
   */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => void;
}

/** How git processes come about. */
export type StartGit = (start: GitStart) => GitProcess;

/** A process that is a child of this one. */
export interface ChildGit extends GitProcess {
  /** Its number, and that of its session and group; undefined if it could not be started. Resolves once that is known. */
  readonly pid: Promise<number | undefined>;
}

const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

/** Starts git as a child of this process. */
export function startGit(start: GitStart): ChildGit {
  const signals: NodeJS.Signals[] = [];
  let child: ChildProcess | undefined;
  const end = (signal: NodeJS.Signals): void => {
    signals.push(signal);
    if (child !== undefined) endChild(child, signal, start.endsAlone === true);
  };
  const begun = withFiles(start, (files) => {
    if (signals.length > 0) throw new Error('it was ended before it began');
    child = spawnGit(start, files);
    const exit = exitOf(child).finally(() => {
      // The leader is gone; helpers that it left behind go too. Without a leader the number may only be its group's.
      if (signals.length > 0 && child !== undefined && start.endsAlone !== true) endChild(child, 'SIGKILL', false);
    });
    return { pid: child.pid, exit };
  });
  return {
    pid: begun.then(({ pid }) => pid),
    ended: begun.then(async ({ exit }) => await exit),
    end,
  };
}

interface Files {
  readonly input: FileHandle | undefined;
  readonly output: FileHandle | undefined;
}

interface Begun {
  readonly pid: number | undefined;
  readonly exit: Promise<GitExit>;
}

/** Opens the files, begins, and closes them at the end. What keeps it from beginning becomes its exit. */
async function withFiles({ inputFile, outputFile }: GitStart, begin: (files: Files) => Begun): Promise<Begun> {
  const opened: FileHandle[] = [];
  const close = async (): Promise<void> => void (await Promise.all(opened.map(async (file) => await file.close())));
  const openOne = async (path: string | undefined, flags: string): Promise<FileHandle | undefined> => {
    if (path === undefined) return undefined;
    const file = await open(path, flags);
    opened.push(file);
    return file;
  };
  try {
    const { pid, exit } = begin({ input: await openOne(inputFile, 'r'), output: await openOne(outputFile, 'w') });
    const closed = async (): Promise<GitExit> => {
      const result = await exit;
      await close();
      return result;
    };
    return { pid, exit: closed() };
  } catch (error) {
    await close();
    return { pid: undefined, exit: Promise.resolve(neverRan(error instanceof Error ? error.message : String(error))) };
  }
}

/** The exit of a git that never ran. */
export function neverRan(message: string, code?: string): GitExit {
  const failure = code === undefined ? { message } : { message, code };
  return { exitCode: -1, stdout: '', stderr: '', ran: false, failure };
}

/** Some reasons not to start, such as a want of memory, Node throws instead of telling them later. */
function spawnGit({ args, cwd, env, input }: GitStart, files: Files): ChildProcess {
  const child = spawn('git', args, {
    cwd,
    env,
    // A session of its own: one signal ends git and its helpers, and no helper can ask on the user's terminal.
    detached: true,
    stdio: [files.input?.fd ?? (input === undefined ? 'ignore' : 'pipe'), files.output?.fd ?? 'pipe', 'pipe'],
  });
  // It may end before it has read all: its exit code says why.
  child.stdin?.on('error', () => {}).end(input);
  return child;
}

function exitOf(child: ChildProcess): Promise<GitExit> {
  return new Promise((resolve) => {
    let failure: GitExit['failure'];
    const fail = ({ message }: Error): void => {
      failure ??= { message };
      child.kill('SIGKILL');
    };
    const stdout = textOf(child.stdout, fail);
    const stderr = textOf(child.stderr, fail);
    child.on('error', (error: NodeJS.ErrnoException) => {
      // What was never started tells of no end.
      if (child.pid === undefined) resolve(neverRan(error.message, error.code));
      else fail(error);
    });
    child.on('close', (code) =>
      resolve({
        exitCode: code ?? -1,
        stdout: stdout(),
        stderr: stderr(),
        ran: true,
        ...(failure === undefined ? {} : { failure }),
      }),
    );
  });
}

function endChild(child: ChildProcess, signal: NodeJS.Signals, alone: boolean): void {
  if (!alone) return signalGroup(child.pid, signal);
  // Those that it has started have these pipes, too.
  const close = (): void => [child.stdout, child.stderr].forEach((stream) => void stream?.destroy());
  if (child.kill('SIGKILL')) child.once('exit', close);
  else close();
}

/** Sends a signal to a process and those of its group. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

/** Gathers a stream; the answer gives what has come as text. */
function textOf(stream: NodeJS.ReadableStream | null, fail: (error: Error) => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) fail(new Error(`git said more than ${MAX_OUTPUT_BYTES} bytes`));
    else chunks.push(chunk);
  });
  stream?.on('error', fail);
  return () => (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8');
}
