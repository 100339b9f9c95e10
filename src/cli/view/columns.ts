/** How much room text takes in a terminal. Pure. */

/** Letters of East Asia and pictures take two columns; what combines with the letter before takes none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;
const NONE = /\p{M}|\p{Cf}|\ufe0f/u;

/** The columns that a text of one line takes, styles aside. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const letter of withoutStyles(text)) columns += NONE.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return columns;
}

/** The text on one line, cut or filled to exactly so many columns. It must have no styles. */
export function fit(text: string, columns: number): string {
  const line = text.replace(/[\p{Cc}\p{Z}]+/gu, ' ').trim();
  const cut = columnsOf(line) <= columns ? line : cutTo(line, columns);
  return cut + ' '.repeat(Math.max(0, columns - columnsOf(cut)));
}

function cutTo(line: string, columns: number): string {
  if (columns <= 0) return '';
  let [kept, used] = ['', 0];
  for (const letter of line) {
    const next = used + columnsOf(letter);
    if (next > columns - 1) break;
    kept += letter;
    used = next;
  }
  return `${kept}…`;
}

function withoutStyles(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}
