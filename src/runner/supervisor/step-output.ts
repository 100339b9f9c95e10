/**
 * The way of a step's output: one pipe for stdout and stderr → scrubbed → the head of it to the log file, the end of it
 * kept for the result. Read at the speed of the disk: a step that writes faster waits, as in a shell's pipe.
 */
import { close } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Pipe, Pipes } from './pipes.ts';
import { Scrubber } from './scrubber.ts';

/** The most of a step's end that its result carries. */
const TAIL_BYTES = 8 * 1024;

/** How long a process outside the step may hold its pipe open after the step is dead. */
const DRAIN_MS = 5_000;

const closeFd = promisify(close);

/** What `StepOutput` needs to know of its step. */
export interface OutputOptions {
  readonly logFile: string;
  readonly logLimitBytes: number;
  readonly secrets: readonly string[];
}

/** Takes a step's output in. Memory stays below a few chunks, whatever comes. */
export class StepOutput {
  /** For the step's stdout and stderr. */
  readonly writeFd: number;
  /** When something last came, on the monotonic clock, in ms. */
  lastAtMs = performance.now();
  logBytes = 0;
  droppedBytes = 0;
  /** Why the log could not be written; the step goes on without it. */
  logError: string | undefined;

  readonly #reader: Socket;
  readonly #log: FileHandle;
  readonly #limitBytes: number;
  readonly #scrubber: Scrubber;
  #pumped: Promise<void> | undefined;
  #tail: Buffer = Buffer.alloc(0);

  private constructor(options: OutputOptions, { log, pipe }: { log: FileHandle; pipe: Pipe }) {
    this.writeFd = pipe.writeFd;
    this.#reader = new Socket({ fd: pipe.readFd, readable: true, writable: false });
    this.#log = log;
    this.#limitBytes = options.logLimitBytes;
    this.#scrubber = new Scrubber(options.secrets);
  }

  /** Opens the log, and takes a pipe. Throws what the file system says. */
  static async open(options: OutputOptions, pipes: Pipes): Promise<StepOutput> {
    await mkdir(dirname(options.logFile), { recursive: true });
    const log = await open(options.logFile, 'a', 0o600);
    try {
      return new StepOutput(options, { log, pipe: await pipes.take() });
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** Begins to read. */
  start(): void {
    this.#pumped = this.#pump();
  }

  /** After the step's death: reads what is still in the pipe and closes everything. */
  async close(): Promise<void> {
    await closeFd(this.writeFd);
    const late = setTimeout(() => this.#reader.destroy(), DRAIN_MS);
    await (this.#pumped ?? this.#pump());
    clearTimeout(late);
    await this.#log.close();
  }

  /** The end of the output so far as text; a character that the cut splits is left out. */
  get tail(): string {
    let start = Math.max(0, this.#tail.length - TAIL_BYTES);
    if (start > 0) while (isInsideCharacter(this.#tail[start])) start++;
    return this.#tail.subarray(start).toString();
  }

  async #pump(): Promise<void> {
    try {
      for await (const chunk of this.#reader) {
        this.lastAtMs = performance.now();
        await this.#take(this.#scrubber.push(chunk as Buffer));
      }
    } catch {
      // The reader was destroyed: somebody held the pipe open beyond the step's end.
    }
    await this.#take(this.#scrubber.end());
  }

  async #take(data: Buffer): Promise<void> {
    if (data.length === 0) return;
    this.#tail = endOf(this.#tail, data);
    const room = Math.max(0, this.#limitBytes - this.logBytes);
    if (this.droppedBytes > 0) {
      this.droppedBytes += data.length;
    } else if (data.length <= room) {
      await this.#write(data);
    } else {
      let cut = room;
      while (cut > 0 && isInsideCharacter(data[cut])) cut--;
      this.droppedBytes = data.length - cut;
      await this.#write(data.subarray(0, cut));
      await this.#write(
        Buffer.from(`\n[signalbox: output beyond ${this.#limitBytes} bytes is not kept in this log]\n`),
      );
    }
  }

  async #write(data: Buffer): Promise<void> {
    if (this.logError !== undefined) return;
    try {
      await this.#log.appendFile(data);
      this.logBytes += data.length;
    } catch (error) {
      this.logError = `the log could not be written: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}

/** The last bytes of `before` and `data`; a few more than the tail, so that a split character can be told. */
function endOf(before: Buffer, data: Buffer): Buffer {
  const keep = TAIL_BYTES + 4;
  if (data.length >= keep) return Buffer.from(data.subarray(-keep));
  return Buffer.concat([before.subarray(-(keep - data.length)), data]);
}

/** Whether this byte continues a UTF-8 character. */
function isInsideCharacter(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
