/** What programs write to a terminal, for a page: colours are kept, everything else that steers is dropped. Pure. */

/** A piece of a line in one look; `look` is empty or classes such as `is-bold fg-2`. */
export interface Span {
  readonly text: string;
  readonly look: string;
}

/** The looks that are on, from one line to the next. */
export interface Look {
  readonly bold: boolean;
  readonly faint: boolean;
  /** 0 to 15 of a terminal's colours. */
  readonly fg: number | undefined;
}

/** As a terminal begins. */
export const PLAIN: Look = { bold: false, faint: false, fg: undefined };

// CSI sequences, OSC sequences with their end, other two-character ones, and what is left of controls but tab.
const STEERING =
  /\x1b\[([0-9;:?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1f\x7f]/g;

/** The pieces of a line, and the look that goes on into the next. A carriage return begins the line anew. */
export function spansOf(line: string, before: Look): { readonly spans: Span[]; readonly after: Look } {
  const shown = line.replace(/\r+$/, '');
  const text = shown.slice(shown.lastIndexOf('\r') + 1);
  const spans: Span[] = [];
  let look = before;
  let end = 0;
  for (const match of text.matchAll(STEERING)) {
    if (match.index > end) spans.push({ text: text.slice(end, match.index), look: classes(look) });
    if (match[2] === 'm') look = changed(look, match[1] ?? '');
    end = match.index + match[0].length;
  }
  if (end < text.length) spans.push({ text: text.slice(end), look: classes(look) });
  return { spans, after: look };
}

function changed(before: Look, codes: string): Look {
  const numbers = codes.split(/[;:]/).map(Number);
  let look = before;
  for (let i = 0; i < numbers.length; i += 1) {
    const code = numbers[i] ?? 0;
    // 256 colours and true colours come with what follows; the first sixteen are the terminal's own.
    if (code === 38 || code === 48) {
      const isIndexed = numbers[i + 1] === 5;
      const index = numbers[i + 2];
      if (code === 38) look = { ...look, fg: isIndexed && index !== undefined && index < 16 ? index : undefined };
      i += isIndexed ? 2 : 4;
    } else {
      look = one(look, code);
    }
  }
  return look;
}

function one(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, faint: true };
  if (code === 22) return { ...look, bold: false, faint: false };
  if (code >= 30 && code <= 37) return { ...look, fg: code - 30 };
  if (code >= 90 && code <= 97) return { ...look, fg: code - 82 };
  if (code === 39) return { ...look, fg: undefined };
  return look;
}

function classes({ bold, faint, fg }: Look): string {
  return [bold ? 'is-bold' : '', faint ? 'is-faint' : '', fg === undefined ? '' : `fg-${fg}`]
    .filter((name) => name !== '')
    .join(' ');
}
