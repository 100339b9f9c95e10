/** The parts of a sentence of `explain`. Pure. */

/** A part: words, a command, or a task's id. */
export interface Piece {
  readonly kind: 'text' | 'code' | 'task';
  readonly text: string;
}

/** Commands stand between backquotes; an id is as `task/ids.ts` makes it. */
const PIECE = /`([^`]+)`|\b(t[0-9a-z]{6}-[0-9a-z]{8}-[0-9a-z]{6})\b/g;

/** The parts of a text, in their order. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    if (match.index > end) pieces.push({ kind: 'text', text: text.slice(end, match.index) });
    const [whole, code, id] = match;
    pieces.push(code === undefined ? { kind: 'task', text: id ?? whole } : { kind: 'code', text: code });
    end = match.index + whole.length;
  }
  if (end < text.length) pieces.push({ kind: 'text', text: text.slice(end) });
  return pieces;
}
