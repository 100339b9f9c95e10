/**
 * One step of a demo task: makes a change in the current folder, a task's own checkout, and takes as long over it as
 * DEMO_TAKES says, in ms. When it began and ended it notes in the file DEMO_NOTES, by its own clock.
 */

import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as edits from './edits.ts';

const startedAt = Date.now();
const [edit = '', ...args] = process.argv.slice(2);
run(edit, args);
await new Promise((done) => setTimeout(done, Number(process.env['DEMO_TAKES'] ?? 0)));
const notes = process.env['DEMO_NOTES'];
if (notes !== undefined) {
  appendFileSync(
    notes,
    `${JSON.stringify({ task: process.env['SIGNALBOX_TASK_ID'], from: startedAt, to: Date.now() })}\n`,
  );
}

function run(name: string, [first = '', ...rest]: readonly string[]): void {
  const files = (): Map<string, string> => new Map(filesBelow(rest).map((path) => [path, readFileSync(path, 'utf8')]));
  switch (name) {
    case 'sort-keys':
      return rewrite([first], (text) => edits.sortKeys(text));
    case 'bump-version':
      return rewrite([first], (text) => edits.bumpVersion(text));
    case 'add-contents':
      return rewrite([first], (text) => edits.addContents(text));
    case 'add-header':
      return rewrite(filesBelow([first]), (text, path) => edits.addHeader(path, text));
    case 'normalise-blanks':
      return rewrite(filesBelow([first]), (text) => edits.normaliseBlanks(text));
    case 'rename': {
      const [to = '', ...folders] = rest;
      return rewrite(filesBelow(folders), (text) => edits.renameIdentifier(text, { from: first, to }));
    }
    case 'list-files':
      return writeFileSync(first, edits.listFiles(filesBelow(rest)));
    case 'count-lines':
      return writeFileSync(first, edits.countLines(files()));
    case 'collect-notes':
      return writeFileSync(first, edits.collectNotes(files()));
    default:
      throw new Error(`there is no edit ${JSON.stringify(name)}`);
  }
}

function rewrite(paths: readonly string[], change: (text: string, path: string) => string): void {
  for (const path of paths) writeFileSync(path, change(readFileSync(path, 'utf8'), path));
}

/** Text files below folders, sorted. */
function filesBelow(folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.(ts|mjs|lua|md|sh|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
