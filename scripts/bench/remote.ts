/** Repositories for tasks to work on: bare, on this disk, and made in one go. */

import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files lie in folders of so many. */
const FILES_A_FOLDER = 20;
const FOLDERS_AN_AREA = 50;
const AUTHOR = 'Bench <bench@localhost> 1700000000 +0000';
const LINES = 25;

/** Makes a bare repository with `files` files of about 1 KiB in one commit on `main`. */
export function makeRemote(dir: string, files: number): void {
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', dir]);
  const parts = [`commit refs/heads/main\ncommitter ${AUTHOR}\ndata 5\nstart\n`];
  for (let i = 0; i < files; i += 1) {
    const text = `export const part${i} = [\n${Array.from({ length: LINES }, (_, line) => `  'line ${line} of file ${i}: words',\n`).join('')}];\n`;
    parts.push(`M 100644 inline ${fileOf(i)}\ndata ${text.length}\n${text}\n`);
  }
  execFileSync('git', ['-C', dir, 'fast-import', '--quiet'], { input: parts.join('') });
}

/** The folder of the first {@link FILES_A_FOLDER} files. */
export const FIRST_FOLDER = folderOf(0);

/** Runs git by itself, as somebody at a prompt would. */
export async function git(...args: readonly string[]): Promise<void> {
  await run('git', [...args], { maxBuffer: 2 ** 26 });
}

function fileOf(index: number): string {
  return `${folderOf(Math.floor(index / FILES_A_FOLDER))}/file-${index}.ts`;
}

function folderOf(folder: number): string {
  return `src/area-${Math.floor(folder / FOLDERS_AN_AREA)}/part-${folder}`;
}
