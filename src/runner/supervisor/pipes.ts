/**
 * Real pipes for the output of steps, which Node cannot make itself: what it gives to children as stdout is a socket, and
 * there a script's `echo … > /dev/stderr` fails. Each is made as a named pipe whose name is gone before anybody uses it.
 *
 * The program that makes them costs more than a short step does, so that it makes several at once, and the next ones
 * while the last of them is in use.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { close, constants, open } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The two ends of a pipe; whoever takes one closes both. */
export interface Pipe {
  /** Does not block. */
  readonly readFd: number;
  readonly writeFd: number;
}

/** How many are made at once. */
const AT_ONCE = 8;

const openFd = promisify(open);
const closeFd = promisify(close);

/** A stock of pipes nobody has used. */
export class Pipes {
  readonly #mkfifo: string;
  #ready: Pipe[] = [];
  #making: Promise<Pipe[]> | undefined;

  /** `mkfifo` is the program's file. */
  constructor(mkfifo: string) {
    this.#mkfifo = mkfifo;
  }

  /** A pipe that is the caller's alone. Throws what the file system says. */
  async take(): Promise<Pipe> {
    for (;;) {
      const pipe = this.#ready.pop();
      // Should it fail now, the next one who needs a pipe is told.
      if (this.#ready.length === 0) void this.#make().catch(() => {});
      if (pipe !== undefined) return pipe;
      await this.#make();
    }
  }

  #make(): Promise<Pipe[]> {
    this.#making ??= makePipes(this.#mkfifo)
      .then((made) => {
        this.#ready.push(...made);
        return made;
      })
      .finally(() => {
        this.#making = undefined;
      });
    return this.#making;
  }
}

async function makePipes(mkfifo: string): Promise<Pipe[]> {
  const paths = Array.from({ length: AT_ONCE }, () => join(tmpdir(), `signalbox-${randomUUID()}.pipe`));
  const pipes: Pipe[] = [];
  try {
    await promisify(execFile)(mkfifo, ['-m', '600', ...paths]);
    for (const path of paths) pipes.push(await openBoth(path));
    return pipes;
  } catch (error) {
    for (const { readFd, writeFd } of pipes) await Promise.all([closeFd(readFd), closeFd(writeFd)]);
    throw error;
  } finally {
    await Promise.all(paths.map(async (path) => await unlink(path).catch(() => {})));
  }
}

async function openBoth(path: string): Promise<Pipe> {
  // Not blocking, or it would wait for a writer. The writing end finds this reader and does not wait either.
  const readFd = await openFd(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readFd, writeFd: await openFd(path, constants.O_WRONLY) };
  } catch (error) {
    await closeFd(readFd);
    throw error;
  }
}
