import { secretForms } from './secret-forms.ts';

const MASK = Buffer.from('***');

/**
 * Forms by their first two bytes, so that output is gone through once however many forms there are: a key of several
 * lines has hundreds, and a search for each took fifty times as long.
 */
class FormIndex {
  readonly longest: number;
  readonly #byFirst = lists(256);
  readonly #byFirstTwo = lists(65_536);

  constructor(forms: readonly Buffer[]) {
    this.longest = Math.max(0, ...forms.map((form) => form.length));
    for (const form of forms) {
      const first = form[0] ?? 0;
      add(this.#byFirst, first, form);
      // A form of a single byte may be followed by any.
      const seconds = form.length > 1 ? [form[1] ?? 0] : Array.from({ length: 256 }, (_, byte) => byte);
      for (const second of seconds) add(this.#byFirstTwo, (first << 8) | second, form);
    }
  }

  /** The forms that may begin at this place; mostly none. */
  at(data: Buffer, place: number): readonly Buffer[] | undefined {
    const first = data[place] as number;
    return place + 1 < data.length
      ? this.#byFirstTwo[(first << 8) | (data[place + 1] as number)]
      : this.#byFirst[first];
  }
}

type Lists = (Buffer[] | undefined)[];

/** Filled, since a sparse array is a slow one. */
function lists(length: number): Lists {
  return Array.from({ length }, () => undefined);
}

function add(all: Lists, index: number, form: Buffer): void {
  all[index] = [...(all[index] ?? []), form];
}

/**
 * Replaces secret values in a stream by `***`, also where a chunk splits one.
 *
 * What might be the beginning of a secret is held back until the next chunk decides it; all else passes at once, so
 * that a log can be followed live. Spellings that overlap are hidden as one, or the rest of the longer would show.
 */
export class Scrubber {
  readonly #forms: FormIndex;
  /** The undecided end of the last chunk. */
  #held: Buffer = Buffer.alloc(0);
  /** How many bytes of it belong to a secret whose mask has been written already. */
  #masked = 0;

  /** `secrets` are values; their usual encodings are hidden as well. */
  constructor(secrets: readonly string[]) {
    this.#forms = new FormIndex(secretForms(secrets));
  }

  /** What of the output so far can be shown now. */
  push(chunk: Buffer): Buffer {
    if (this.#forms.longest === 0) return chunk;
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    return this.#scrub(data, this.#undecidedFrom(data));
  }

  /** The rest, at the end of the stream. */
  end(): Buffer {
    return this.#scrub(this.#held, this.#held.length);
  }

  /** Shows `data` up to `limit` without its secrets and holds back the rest. */
  #scrub(data: Buffer, limit: number): Buffer {
    const parts: Buffer[] = [];
    let shownTo = this.#masked;
    for (const [start, end] of this.#secretsIn(data)) {
      if (start >= limit) break;
      if (start >= shownTo) parts.push(data.subarray(shownTo, start), MASK);
      shownTo = Math.max(shownTo, end);
    }
    if (shownTo < limit) parts.push(data.subarray(shownTo, limit));
    this.#held = Buffer.from(data.subarray(limit));
    this.#masked = Math.max(0, shownTo - limit);
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Where secrets are, as [start, end), by start; where several begin, the longest. */
  #secretsIn(data: Buffer): [number, number][] {
    const found: [number, number][] = [];
    for (let at = 0; at < data.length; at++) {
      // Forms come longest first.
      const form = this.#forms.at(data, at)?.find((candidate) => isAt(candidate, data, at));
      if (form !== undefined) found.push([at, at + form.length]);
    }
    return found;
  }

  /** The first place from which the data ends in the beginning of a secret; its length if there is none. */
  #undecidedFrom(data: Buffer): number {
    for (let at = Math.max(0, data.length - this.#forms.longest + 1); at < data.length; at++) {
      if (this.#forms.at(data, at)?.some((form) => endsInStartOf(form, data, at))) return at;
    }
    return data.length;
  }
}

function isAt(form: Buffer, data: Buffer, at: number): boolean {
  return at + form.length <= data.length && form.compare(data, at, at + form.length) === 0;
}

/** Whether `data` from `at` on is the beginning of `form`, but not all of it. */
function endsInStartOf(form: Buffer, data: Buffer, at: number): boolean {
  const length = data.length - at;
  return length < form.length && form.compare(data, at, data.length, 0, length) === 0;
}

/** A text without the secrets, for messages. */
export function scrub(text: string, secrets: readonly string[]): string {
  const scrubber = new Scrubber(secrets);
  return Buffer.concat([scrubber.push(Buffer.from(text)), scrubber.end()]).toString();
}
