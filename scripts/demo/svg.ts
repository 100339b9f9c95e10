/** Turns what a program printed into an SVG that looks like a terminal: monospace, dark, readable on any page. */

const CELL = { width: 8, height: 18 };
const PADDING = 16;
const COLOURS = { plain: '#d0d7de', dim: '#6e7681', good: '#3fb950', bad: '#f85149' };
const BARS = ['#58a6ff', '#d2a8ff', '#ffa657', '#7ee787', '#ff7b72', '#79c0ff'];

/** A stretch of a line in one colour. */
export interface Stretch {
  readonly text: string;
  /** The column it begins at. */
  readonly column: number;
  readonly colour: string;
}

/** Colours a line: frames and empty time are dim, bars alternate, ticks and crosses stand out. */
export function colour(line: string): Stretch[] {
  let column = 0;
  let bar = -1;
  const parts = line.match(/▐[^▐·]*|[·┌┐└┘├┤┬┴┼─│]+|[✔✘]|[^▐·┌┐└┘├┤┬┴┼─│✔✘]+/g) ?? [];
  return parts.map((text) => {
    const at = column;
    column += Array.from(text).length;
    if (text.startsWith('▐')) bar += 1;
    return { text, column: at, colour: colourOf(text, bar) };
  });
}

function colourOf(text: string, bar: number): string {
  if (text.startsWith('▐')) return BARS[bar % BARS.length] ?? COLOURS.plain;
  if (text === '✔') return COLOURS.good;
  if (text === '✘') return COLOURS.bad;
  return /^[·┌─│├└]/.test(text) ? COLOURS.dim : COLOURS.plain;
}

/** The picture of some lines. Each stretch is held to its columns, whatever font the reader has. */
export function toSvg(lines: readonly string[], title: string): string {
  const columns = Math.max(0, ...lines.map((line) => Array.from(line).length));
  const width = columns * CELL.width + 2 * PADDING;
  const height = lines.length * CELL.height + 2 * PADDING;
  const texts = lines.flatMap((line, row) =>
    colour(line)
      .filter(({ text }) => text.trim() !== '')
      .map((stretch) => drawStretch(stretch, PADDING + (row + 0.75) * CELL.height)),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escape(title)}</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" xml:space="preserve">
${texts.join('\n')}
</g>
</svg>
`;
}

function drawStretch({ text, column, colour: fill }: Stretch, y: number): string {
  const x = PADDING + column * CELL.width;
  const length = Array.from(text).length * CELL.width;
  return `<text x="${x}" y="${y}" fill="${fill}" textLength="${length}" lengthAdjust="spacingAndGlyphs">${escape(text)}</text>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
