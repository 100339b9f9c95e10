/** Reads tables out of the documentation, so that tests can hold them to the code. */

import { readFileSync } from 'node:fs';

/** The rows, without the head, of the first table under `heading` in `docs/<name>`; backticks are taken off. */
export function docTable(name: string, heading: string): string[][] {
  const section = docText(name)
    .split(/^#+ /m)
    .find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`docs/${name} has no heading "${heading}"`);
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

/** The text of `docs/<name>`. */
export function docText(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
}
