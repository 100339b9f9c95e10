import { Joined, withoutBreaks } from './joined.ts';
import { secretForms } from './secret-forms.ts';

const MASK = Buffer.from('***');

/** A form at least so long is also found where line breaks were put into it: shorter ones would turn up by chance. */
const LEAST_BROKEN_LENGTH = 8;
/** What of it must come before the first of them; so little of the end of a line is held back for it. */
const LEAST_PIECE = 4;

/** A spelling of a secret, without its line breaks. */
interface Form {
  readonly bytes: Buffer;
  /** How many of its bytes must be on its first line. */
  readonly leastPiece: number;
}

function formOf(spelling: Buffer): Form {
  const bytes = withoutBreaks(spelling);
  if (bytes.length < spelling.length) return { bytes, leastPiece: 1 };
  return { bytes, leastPiece: bytes.length < LEAST_BROKEN_LENGTH ? bytes.length : LEAST_PIECE };
}

/**
 * Forms by their first two bytes, so that output is gone through once however many forms there are: a key of several
 * lines has hundreds, and a search for each took fifty times as long.
 */
class FormIndex {
  readonly longest: number;
  readonly #byFirst = lists(256);
  readonly #byFirstTwo = lists(65_536);

  constructor(forms: readonly Form[]) {
    this.longest = Math.max(0, ...forms.map(({ bytes }) => bytes.length));
    for (const form of forms) {
      const [first = 0, second] = form.bytes;
      add(this.#byFirst, first, form);
      // A form of a single byte may be followed by any.
      const seconds = second === undefined ? Array.from({ length: 256 }, (_, byte) => byte) : [second];
      for (const next of seconds) add(this.#byFirstTwo, (first << 8) | next, form);
    }
  }

  /** The forms that may begin at this place; mostly none. */
  at(data: Buffer, place: number): readonly Form[] | undefined {
    const first = data[place] as number;
    return place + 1 < data.length
      ? this.#byFirstTwo[(first << 8) | (data[place + 1] as number)]
      : this.#byFirst[first];
  }
}

type Lists = (Form[] | undefined)[];

/** Filled, since a sparse array is a slow one. */
function lists(length: number): Lists {
  return Array.from({ length }, () => undefined);
}

function add(all: Lists, index: number, form: Form): void {
  all[index] = [...(all[index] ?? []), form];
}

/**
 * Replaces secret values in a stream by `***`, also where a chunk or a line break splits one.
 *
 * What might be the beginning of a secret is held back until the next chunk decides it; all else passes at once, so
 * that a log can be followed live. Spellings that overlap are hidden as one, or the rest of the longer would show.
 */
export class Scrubber {
  readonly #forms: FormIndex;
  /** The undecided end of the last chunk. */
  #held: Buffer = Buffer.alloc(0);
  #found = false;
  /** How many bytes of it belong to a secret whose mask has been written already. */
  #masked = 0;

  /** `secrets` are values; their usual encodings are hidden as well. */
  constructor(secrets: readonly string[]) {
    const forms = secretForms(secrets)
      .map(formOf)
      .filter(({ bytes }) => bytes.length > 0);
    this.#forms = new FormIndex(forms.toSorted((a, b) => b.bytes.length - a.bytes.length));
  }

  /** Whether there was anything to hide so far. */
  get hasFound(): boolean {
    return this.#found;
  }

  /** What of the output so far can be shown now. */
  push(chunk: Buffer): Buffer {
    if (this.#forms.longest === 0) return chunk;
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const joined = new Joined(data);
    return this.#scrub(joined, this.#undecidedFrom(joined));
  }

  /** The rest, at the end of the stream. */
  end(): Buffer {
    return this.#scrub(new Joined(this.#held), this.#held.length);
  }

  /** Shows `data` up to `limit` without its secrets and holds back the rest. */
  #scrub(joined: Joined, limit: number): Buffer {
    const { data } = joined;
    const parts: Buffer[] = [];
    let shownTo = this.#masked;
    for (const [start, end] of this.#secretsIn(joined)) {
      if (start >= limit) break;
      this.#found = true;
      if (start >= shownTo) parts.push(data.subarray(shownTo, start), MASK);
      shownTo = Math.max(shownTo, end);
    }
    if (shownTo < limit) parts.push(data.subarray(shownTo, limit));
    this.#held = Buffer.from(data.subarray(limit));
    this.#masked = Math.max(0, shownTo - limit);
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** Where secrets are, as [start, end), by start; where several begin, the longest. */
  #secretsIn(joined: Joined): [number, number][] {
    const { bytes } = joined;
    const found: [number, number][] = [];
    for (let at = 0; at < bytes.length; at++) {
      // Forms come longest first.
      const form = this.#forms.at(bytes, at)?.find((candidate) => isAt(candidate, joined, at));
      if (form !== undefined) found.push([joined.placeOf(at), joined.placeOf(at + form.bytes.length - 1) + 1]);
    }
    return found;
  }

  /** The first place from which the data ends in the beginning of a secret; its length if there is none. */
  #undecidedFrom(joined: Joined): number {
    const { bytes, data } = joined;
    for (let at = Math.max(0, bytes.length - this.#forms.longest + 1); at < bytes.length; at++) {
      if (this.#forms.at(bytes, at)?.some((form) => endsInStartOf(form, joined, at))) return joined.placeOf(at);
    }
    return data.length;
  }
}

function isAt({ bytes, leastPiece }: Form, joined: Joined, at: number): boolean {
  const isThere = at + bytes.length <= joined.bytes.length && bytes.compare(joined.bytes, at, at + bytes.length) === 0;
  return isThere && joined.isUnbroken(at, leastPiece);
}

/** Whether the data from `at` on is the beginning of a form, but not all of it. */
function endsInStartOf({ bytes, leastPiece }: Form, joined: Joined, at: number): boolean {
  const length = joined.bytes.length - at;
  const isStart = length < bytes.length && bytes.compare(joined.bytes, at, joined.bytes.length, 0, length) === 0;
  if (!isStart) return false;
  // What ends with a line break must have its first piece; else there is still room for it.
  return joined.isUnbroken(at, Math.min(leastPiece, length)) && (length >= leastPiece || !joined.endsInBreak);
}

/** A text without the secrets, for messages. */
export function scrub(text: string, secrets: readonly string[]): string {
  const scrubber = new Scrubber(secrets);
  return Buffer.concat([scrubber.push(Buffer.from(text)), scrubber.end()]).toString();
}
