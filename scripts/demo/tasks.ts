/** The demo's tasks: real changes to this project, many of them to the same branch or the same files. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TaskInput } from '../../src/task/schema.ts';
import { TSX } from '../sandbox/program.ts';

/** A task of the demo. */
export interface DemoTask {
  /** Short, for tables and bars. */
  readonly name: string;
  readonly input: TaskInput;
  /** It may find nothing to change. */
  readonly mayChangeNothing: boolean;
}

interface Sketch {
  readonly name: string;
  readonly title: string;
  readonly branch: string;
  readonly write: readonly string[];
  readonly read?: readonly string[];
  /** An edit with its arguments, or any other command. */
  readonly edit?: readonly string[];
  readonly run?: readonly string[];
  readonly test?: readonly string[];
  readonly takesMs: number;
  readonly mayChangeNothing?: boolean;
}

const SOURCES = ['src/**'];

const SKETCHES: readonly Sketch[] = [
  {
    name: 'sort-package',
    title: 'Sort the keys of package.json',
    branch: 'demo/package',
    write: ['package.json'],
    edit: ['sort-keys', 'package.json'],
    takesMs: 900,
  },
  {
    name: 'bump-version',
    title: 'Bump the version',
    branch: 'demo/package',
    write: ['package.json'],
    edit: ['bump-version', 'package.json'],
    takesMs: 500,
  },
  {
    name: 'header-claims',
    title: 'Licence header in src/claims',
    branch: 'demo/headers',
    write: ['src/claims/**'],
    edit: ['add-header', 'src/claims'],
    takesMs: 1_100,
  },
  {
    name: 'header-queue',
    title: 'Licence header in src/queue',
    branch: 'demo/headers',
    write: ['src/queue/**'],
    edit: ['add-header', 'src/queue'],
    takesMs: 700,
  },
  {
    name: 'header-git',
    title: 'Licence header in src/git',
    branch: 'demo/headers-git',
    write: ['src/git/**'],
    edit: ['add-header', 'src/git'],
    takesMs: 1_000,
  },
  {
    name: 'rename-clock',
    title: 'Rename leaseClock in src/claims',
    branch: 'demo/rename',
    write: ['src/claims/**'],
    edit: ['rename', 'leaseClock', 'clockForLeases', 'src/claims'],
    takesMs: 800,
  },
  {
    name: 'contents',
    title: 'Table of contents for the configuration page',
    branch: 'demo/docs',
    write: ['docs/configuration.md'],
    edit: ['add-contents', 'docs/configuration.md'],
    takesMs: 700,
  },
  {
    name: 'blanks-docs',
    title: 'Normalise blanks in docs',
    branch: 'demo/docs',
    write: ['docs/**'],
    edit: ['normalise-blanks', 'docs'],
    takesMs: 500,
    mayChangeNothing: true,
  },
  {
    name: 'list-sources',
    title: 'List the source files in the docs',
    branch: 'demo/sources',
    write: ['docs/sources.md'],
    read: SOURCES,
    edit: ['list-files', 'docs/sources.md', 'src'],
    takesMs: 900,
  },
  {
    name: 'count-lines',
    title: 'Count the lines of each folder',
    branch: 'demo/lines',
    write: ['docs/lines.md'],
    read: SOURCES,
    edit: ['count-lines', 'docs/lines.md', 'src'],
    takesMs: 1_000,
  },
  {
    name: 'collect-notes',
    title: 'Collect the notes left in the code',
    branch: 'demo/notes',
    write: ['docs/notes.md'],
    read: SOURCES,
    edit: ['collect-notes', 'docs/notes.md', 'src'],
    takesMs: 600,
  },
  {
    name: 'sort-tsconfig',
    title: 'Sort the keys of tsconfig.json',
    branch: 'demo/tsconfig',
    write: ['tsconfig.json'],
    edit: ['sort-keys', 'tsconfig.json'],
    takesMs: 1_200,
  },
  {
    name: 'header-runner',
    title: 'Licence header in src/runner',
    branch: 'demo/headers-runner',
    write: ['src/runner/**'],
    edit: ['add-header', 'src/runner'],
    takesMs: 1_300,
  },
  {
    name: 'rename-queue',
    title: 'Rename SWEEP_LIMIT in src/queue',
    branch: 'demo/rename',
    write: ['src/queue/**'],
    edit: ['rename', 'SWEEP_LIMIT', 'LOOKED_AT', 'src/queue'],
    takesMs: 600,
    mayChangeNothing: true,
  },
];

const EDIT = fileURLToPath(new URL('./edit.ts', import.meta.url));
const FORMATTER = fileURLToPath(new URL('../../node_modules/.bin/biome', import.meta.url));

/** Formats a folder with the project's own formatter, and tests that it is formatted then. */
function formatting(): Sketch[] {
  if (!existsSync(FORMATTER)) return [];
  const format = [FORMATTER, 'format', '--line-width=100', 'test'];
  return [
    {
      name: 'format-tests',
      title: 'Format the tests at 100 columns',
      branch: 'demo/format',
      write: ['test/**'],
      run: [...format, '--write'],
      test: format,
      takesMs: 400,
    },
  ];
}

/** The tasks for a remote; each step notes in the file `notes` when it worked. */
export function demoTasks(repo: string, notes: string): DemoTask[] {
  return [...SKETCHES, ...formatting()].map((sketch) => {
    const { name, title, branch, write, read = [], edit = [], run, test, takesMs, mayChangeNothing = false } = sketch;
    const command = run ?? [process.execPath, ...TSX, EDIT, ...edit];
    const input: TaskInput = {
      title,
      repo,
      branch,
      claims: { write: [...write], read: [...read] },
      implement: [{ name, run: [...command] }],
      ...(test === undefined ? {} : { test: [{ name: 'test', run: [...test] }] }),
      env: { DEMO_TAKES: String(takesMs), DEMO_NOTES: notes },
      idempotencyKey: name,
      spec: 'demo',
    };
    return { name, input, mayChangeNothing };
  });
}
