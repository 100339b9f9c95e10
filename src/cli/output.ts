/** Where a command's words go: data to stdout, as text or as one JSON value; messages and errors to stderr. */

import { inspect } from 'node:util';
import type { SignalboxError } from '../errors.ts';
import { type Paint, painter } from './paint.ts';

/** What an output is made from. */
export interface OutputOptions {
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The two streams of a command. */
export class Output {
  readonly json: boolean;
  /** Styles for stdout and stderr; they leave text alone where there is no color. */
  readonly paint: Paint;
  readonly paintNote: Paint;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;

  constructor({ json, env, stdout, stderr }: OutputOptions) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.paint = painter(stdout, env);
    this.paintNote = painter(stderr, env);
  }

  /** The width that tables may take, in columns; no limit where nobody reads along. */
  get width(): number {
    return this.#stdout.isTTY ? this.#stdout.columns : Number.POSITIVE_INFINITY;
  }

  /** Whether stdout, or stderr, is a terminal. */
  isTerminal(stream: 'stdout' | 'stderr'): boolean {
    const { isTTY } = (stream === 'stdout' ? this.#stdout : this.#stderr) as { isTTY?: boolean };
    return isTTY === true;
  }

  /** Prints the command's answer: `value` with `--json`, else `human`, which ends without a line break. */
  data(value: unknown, human: () => string): void {
    const text = this.json ? JSON.stringify(value) : human();
    if (text !== '') this.#stdout.write(`${text}\n`);
  }

  /** Writes to stdout as it is: for output that grows. */
  raw(text: string | Uint8Array): void {
    this.#stdout.write(text);
  }

  /** Prints a line for people, on stderr. */
  note(text: string): void {
    this.#stderr.write(`${text}\n`);
  }

  /** Prints an error: `{error}` on stdout with `--json`, else its message and next step. `trace`: shown as it is. */
  error(error: SignalboxError, trace?: unknown): void {
    if (this.json) this.#stdout.write(`${JSON.stringify({ error })}\n`);
    else this.note(this.describe(error));
    if (trace !== undefined) this.note(inspect(trace));
  }

  /** An error's message and next step for people. */
  describe({ message, next, field }: SignalboxError): string {
    const where = field === undefined || field === '' || message.includes(field) ? '' : ` (field ${field})`;
    return `${this.paintNote('red', 'error:')} ${message}${where}\n${this.paintNote('dim', 'next:')}  ${next}`;
  }
}
