/** Where the tasks of a submission come from: files, standard input or flags. Together they are one list. */

import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ErrorFacts, SignalboxError } from '../../errors.ts';
import type { Presets } from '../../task/presets.ts';
import { parseRepository } from '../../task/repository.ts';
import { parseTasks } from '../../task/schema.ts';
import type { Task } from '../../task/task.ts';
import { readTaskText } from '../../task/text.ts';
import { usage } from '../errors.ts';

/** Validated tasks from one place. Local paths in them are absolute. */
export interface Source {
  /** How messages call it; undefined for flags. */
  readonly name: string | undefined;
  readonly tasks: readonly Task[];
}

/** What the tasks are read with. */
export interface Reading {
  readonly cwd: string;
  readonly presets: Presets;
}

/** Reads task files; `-` is standard input. A relative `repo` counts from the file's folder. Throws INVALID or USAGE. */
export async function readFiles(names: readonly string[], { cwd, presets }: Reading): Promise<Source[]> {
  const sources: Source[] = [];
  for (const name of names) {
    const folder = name === '-' ? cwd : dirname(resolve(cwd, name));
    const shown = name === '-' ? 'standard input' : name;
    const content = await readInput(name, cwd);
    try {
      sources.push({ name: shown, tasks: readTasks(readTaskText(content), { cwd: folder, presets }) });
    } catch (error) {
      throw inFile(error, shown);
    }
  }
  return sources;
}

/** Validates tasks whose relative repositories count from `cwd`. Throws INVALID or UNSUPPORTED. */
export function readTasks(input: unknown, { cwd, presets }: Reading): Task[] {
  return parseTasks(input, presets).map((task) => {
    const repo = parseRepository(task.repo);
    return repo.kind === 'path' ? { ...task, repo: resolve(cwd, repo.path) } : task;
  });
}

/**
 * An error about the combined list of all sources, told of the file it is about: the index in its field then counts
 * within that file, as it does when a file cannot be read.
 */
export function locate(error: unknown, sources: readonly Source[]): unknown {
  if (!(error instanceof SignalboxError) || error.field === undefined) return error;
  const [, index, rest = ''] = /^\[(\d+)\](.*)$/.exec(error.field) ?? [];
  if (index === undefined) return inFile(error, sources[0]?.name);
  let place = Number(index);
  for (const { name, tasks } of sources) {
    if (place < tasks.length) {
      const field = tasks.length === 1 ? rest.replace(/^\./, '') : `[${place}]${rest}`;
      return inFile(error, name, field);
    }
    place -= tasks.length;
  }
  return error;
}

function inFile(error: unknown, name: string | undefined, field?: string): unknown {
  if (!(error instanceof SignalboxError)) return error;
  const where = field ?? error.field;
  const facts: ErrorFacts = {
    next: error.next,
    details: error.details,
    cause: error,
    ...(where === undefined ? {} : { field: where }),
  };
  return new SignalboxError(error.code, name === undefined ? error.message : `${name}: ${error.message}`, facts);
}

/** The text of a file, or with `-` of standard input. Throws USAGE. */
export async function readInput(name: string, cwd: string): Promise<string> {
  if (name === '-') return await text(process.stdin);
  try {
    return await readFile(resolve(cwd, name), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = { ENOENT: 'there is no such file', EISDIR: 'it is a folder', EACCES: 'you may not read it' }[
      code ?? ''
    ];
    throw usage(
      `Cannot read ${name}: ${why ?? (error as Error).message}.`,
      'Name a task file, or `-` for standard input.',
    );
  }
}
