/** The changes that the demo's tasks make, as functions from text to text. */

/** Sorts the keys of a JSON object's first level; deeper ones may have an order that means something. */
export function sortKeys(json: string): string {
  const value = JSON.parse(json) as Record<string, unknown>;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
}

/** Raises the last number of a package's version. */
export function bumpVersion(packageJson: string): string {
  return packageJson.replace(/("version": "\d+\.\d+\.)(\d+)/, (_all, rest: string, patch: string) => {
    return `${rest}${Number(patch) + 1}`;
  });
}

/** Puts a comment at the top of a source file, in the file's own language; once. */
export function addHeader(path: string, source: string): string {
  const header = `${path.endsWith('.lua') ? '--' : '//'} SPDX-License-Identifier: MIT\n`;
  return source.includes(header) ? source : `${header}${source}`;
}

/** Renames an identifier wherever it stands as a whole word. */
export function renameIdentifier(source: string, { from, to }: { readonly from: string; readonly to: string }): string {
  return source.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), to);
}

/** Unix line endings, no blanks at the end of a line, one line break at the end of the file. */
export function normaliseBlanks(text: string): string {
  return `${text.replace(/[ \t]*\r?\n/g, '\n').trimEnd()}\n`;
}

/** A table of contents below the title of a page: its headings of the second level. */
export function addContents(markdown: string): string {
  const headings = [...markdown.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? '');
  const contents = headings.map((heading) => `- [${heading.replaceAll('`', '')}](#${anchor(heading)})`);
  const list = contents.length === 0 ? '(This page has no sections.)' : contents.join('\n');
  return markdown.replace(/^(# .+\n)/, (title) => `${title}\n${list}\n`);
}

function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** A page that lists files. */
export function listFiles(paths: readonly string[]): string {
  return `# Source files\n\n${paths.map((path) => `- ${path}\n`).join('')}`;
}

/** A page that counts the lines of the files of each folder. */
export function countLines(files: ReadonlyMap<string, string>): string {
  const folders = new Map<string, number>();
  for (const [path, text] of files) {
    const folder = path.split('/').slice(0, -1).join('/');
    folders.set(folder, (folders.get(folder) ?? 0) + text.split('\n').length - 1);
  }
  const rows = [...folders].map(([folder, lines]) => `| ${folder} | ${lines} |\n`);
  return `# Lines of code\n\n| folder | lines |\n| --- | ---: |\n${rows.join('')}`;
}

/** A page of all notes that somebody left in the code. */
export function collectNotes(files: ReadonlyMap<string, string>): string {
  const notes = [...files].flatMap(([path, text]) =>
    text
      .split('\n')
      .flatMap((line, i) => (/\b(TODO|FIXME)\b/.test(line) ? [`- ${path}:${i + 1} ${line.trim()}\n`] : [])),
  );
  return `# Notes in the code\n\n${notes.length === 0 ? 'None.\n' : notes.join('')}`;
}
