/** A log as lines, as it comes in pieces, of which only the newest are kept. Pure but for its own state. */

import { type Look, PLAIN, type Span, spansOf } from './ansi.ts';

/** A line with its number, from 1. */
export interface LogLine {
  readonly number: number;
  readonly spans: readonly Span[];
}

/** A line that is longer is cut: a page is no place for a megabyte in one line. */
const LONGEST = 4_000;

/** Lines so far. */
export class LogLines {
  readonly #most: number;
  #lines: LogLine[] = [];
  #open = '';
  #look: Look = PLAIN;
  #count = 0;

  /** Keeps so many at most. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Adds what has come. What does not end a line is the beginning of the next. */
  add(text: string): void {
    const parts = (this.#open + text).split('\n');
    this.#open = parts.pop() ?? '';
    for (const part of parts) this.#lines.push(this.#line(part));
    if (this.#lines.length > this.#most) this.#lines = this.#lines.slice(-this.#most);
  }

  /** Adds a line that is about the log and not of it. */
  note(text: string): void {
    if (this.#open !== '') this.add('\n');
    this.#look = PLAIN;
    this.#count += 1;
    this.#lines.push({ number: this.#count, spans: [{ text, look: 'is-note' }] });
  }

  /** What is kept, with the line that has not ended yet. */
  all(): readonly LogLine[] {
    // A new list each time: who shows it sees by that that there is more.
    if (this.#open === '') return [...this.#lines];
    const { spans } = spansOf(cut(this.#open), this.#look);
    return [...this.#lines, { number: this.#count + 1, spans }];
  }

  /** How many lines are not kept any more. */
  get dropped(): number {
    return this.#count - this.#lines.length;
  }

  #line(text: string): LogLine {
    const { spans, after } = spansOf(cut(text), this.#look);
    this.#look = after;
    this.#count += 1;
    return { number: this.#count, spans };
  }
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)`;
}
