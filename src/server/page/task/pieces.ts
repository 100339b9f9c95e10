/** The parts of a sentence of `explain`. Pure. */

/** A part: words, a command, a task's id, or a time in ISO 8601. */
export interface Piece {
  readonly kind: 'text' | 'code' | 'task' | 'time';
  readonly text: string;
}

/** Commands stand between backquotes; an id is as `task/ids.ts` makes it. */
const PIECE =
  /`(?<code>[^`]+)`|\b(?<task>t[0-9a-z]{6}-[0-9a-z]{8}-[0-9a-z]{6})\b|\b(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/g;

/** The parts of a text, in their order. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    if (match.index > end) pieces.push({ kind: 'text', text: text.slice(end, match.index) });
    const { code, task, time = '' } = match.groups ?? {};
    if (code !== undefined) pieces.push({ kind: 'code', text: code });
    else pieces.push(task === undefined ? { kind: 'time', text: time } : { kind: 'task', text: task });
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push({ kind: 'text', text: text.slice(end) });
  return pieces;
}
