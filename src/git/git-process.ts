/**
 * One git process, by Node's own spawn: a run starts a dozen, and a library between would cost each of them as much
 * processor time again as git needs itself.
 */

import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';

/** What to start. */
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
}

/** How it ended. `failure`: it never ran, or was ended because it said too much. */
export interface GitExit {
  /** -1 when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly failure?: NodeJS.ErrnoException;
}

/** A process that runs, or could not be started. */
export interface GitProcess {
  /** Also the number of its session and process group; undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Resolves when it has ended and nothing more is said. Never rejects. */
  readonly ended: Promise<GitExit>;
  /** Ends it by force, and not what it has started, whatever that still says. Harmless when it has ended. */
  readonly endAlone: () => void;
}

const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

/** Starts git. Rejects only if one of the files cannot be opened. */
export async function startGit(start: GitStart): Promise<GitProcess> {
  const { inputFile, outputFile } = start;
  const input = inputFile === undefined ? undefined : await open(inputFile, 'r');
  const output = outputFile === undefined ? undefined : await openBeside(input, outputFile);
  const { pid, ended, endAlone } = tryRun(start, { input, output });
  const closed = async (): Promise<GitExit> => {
    try {
      return await ended;
    } finally {
      await input?.close();
      await output?.close();
    }
  };
  return { pid, ended: closed(), endAlone };
}

async function openBeside(input: FileHandle | undefined, outputFile: string): Promise<FileHandle> {
  try {
    return await open(outputFile, 'w');
  } catch (error) {
    await input?.close();
    throw error;
  }
}

interface Files {
  readonly input: FileHandle | undefined;
  readonly output: FileHandle | undefined;
}

/** Some reasons not to start, such as a want of memory, Node throws instead of telling them later. */
function tryRun(start: GitStart, files: Files): GitProcess {
  try {
    return run(start, files);
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    const ended = Promise.resolve({ exitCode: -1, stdout: '', stderr: '', failure });
    return { pid: undefined, ended, endAlone: () => {} };
  }
}

function run({ args, cwd, env, input }: GitStart, files: Files): GitProcess {
  const child = spawn('git', args, {
    cwd,
    env,
    // A session of its own: one signal ends git and its helpers, and no helper can ask on the user's terminal.
    detached: true,
    stdio: [files.input?.fd ?? (input === undefined ? 'ignore' : 'pipe'), files.output?.fd ?? 'pipe', 'pipe'],
  });
  // It may end before it has read all: its exit code says why.
  child.stdin?.on('error', () => {}).end(input);
  const ended = new Promise<GitExit>((resolve) => {
    let failure: NodeJS.ErrnoException | undefined;
    const fail = (error: Error): void => {
      failure ??= error;
      if (child.pid !== undefined) child.kill('SIGKILL');
    };
    const stdout = textOf(child.stdout, fail);
    const stderr = textOf(child.stderr, fail);
    child.on('error', (error) => {
      fail(error);
      // What was never started tells of no end.
      if (child.pid === undefined) resolve({ exitCode: -1, stdout: '', stderr: '', failure: error });
    });
    child.on('close', (code) =>
      resolve({
        exitCode: code ?? -1,
        stdout: stdout(),
        stderr: stderr(),
        ...(failure === undefined ? {} : { failure }),
      }),
    );
  });
  const endAlone = (): void => {
    // Those that it has started have these pipes, too.
    const close = (): void => [child.stdout, child.stderr].forEach((stream) => void stream?.destroy());
    if (child.kill('SIGKILL')) child.once('exit', close);
    else close();
  };
  return { pid: child.pid, ended, endAlone };
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
