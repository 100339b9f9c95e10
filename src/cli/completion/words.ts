/**
 * What may be typed next: commands, options, their values. Read from the program itself, so that it never drifts from
 * it. Pure but for the values that come from the queue.
 */

import type { Argument, Command, Option } from 'commander';

/** What can be looked up for a value. */
export type Lookup = 'tasks' | 'presets' | 'limits' | 'workers';

/** What may stand at the place of the word that is being typed. */
export interface Completion {
  readonly words: readonly string[];
  /** Further values, to be looked up. */
  readonly lookup: Lookup | undefined;
  /** Whether it may be a file. */
  readonly files: boolean;
}

/** Values of options and arguments, where they are none of the program's own words. */
const LOOKUPS: Readonly<Record<string, Lookup>> = {
  id: 'tasks',
  'depends-on': 'tasks',
  agent: 'presets',
  limit: 'limits',
  'limits set name': 'limits',
  'drain workers': 'workers',
};
const FILES = ['files', 'file', 'paths', 'command', 'write', 'read', 'data', 'repo', 'include'];

/** Option values that the schema of tasks knows, told in the option's own text: `push, land, patch or none`. */
const CHOICES = /^(?:[^:(]*: )?((?:[a-z]+, )*[a-z]+,? or [a-z]+)(?::| \(|$)/;

/** Completes the last of `words`, which stand after the program's name. */
export function complete(program: Command, words: readonly string[]): Completion {
  const typed = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const { command, path, operands } = find(program, typed);
  if (typed.includes('--')) return { words: [], lookup: undefined, files: true };
  const before = optionNamed(command, typed.at(-1));
  if (before !== undefined && before.required) return valueOf(before);
  if (current.startsWith('-')) return { words: optionsOf(command), lookup: undefined, files: false };
  const commands = operands === 0 ? command.commands.map((child) => child.name()) : [];
  const argument = command.registeredArguments[Math.min(operands, command.registeredArguments.length - 1)];
  const beyond = argument !== undefined && operands >= command.registeredArguments.length && !argument.variadic;
  return argument === undefined || beyond
    ? {
        words: [...commands, ...(operands === 0 && command === program ? ['help'] : [])],
        lookup: undefined,
        files: false,
      }
    : argumentOf(argument, path, commands);
}

/** The command that the words lead to, and how many of its own arguments they hold. */
function find(program: Command, words: readonly string[]) {
  let [command, operands, path, skip] = [program, 0, '', false];
  for (const word of words) {
    if (skip) {
      skip = false;
      continue;
    }
    if (word.startsWith('-')) {
      skip = optionNamed(command, word)?.required === true;
      continue;
    }
    const child = operands === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    if (child === undefined) operands++;
    else [command, path] = [child, `${path}${path === '' ? '' : ' '}${child.name()}`];
  }
  return { command, operands, path };
}

function optionNamed(command: Command, word: string | undefined): Option | undefined {
  return allOptions(command).find(({ long, short }) => word !== undefined && (word === long || word === short));
}

function allOptions(command: Command): Option[] {
  return [...command.options, ...(command.parent === null ? [] : allOptions(command.parent))];
}

function optionsOf(command: Command): string[] {
  return [...allOptions(command).flatMap(({ long }) => long ?? []), '--help'];
}

function valueOf(option: Option): Completion {
  const name = option.long?.replace(/^--/, '') ?? '';
  const words = option.argChoices ?? choicesIn(option.description);
  return { words, lookup: words.length > 0 ? undefined : LOOKUPS[name], files: FILES.includes(name) };
}

function argumentOf(argument: Argument, path: string, commands: readonly string[]): Completion {
  const name = argument.name();
  const lookup = LOOKUPS[`${path} ${name}`] ?? LOOKUPS[name];
  return { words: [...commands, ...(argument.argChoices ?? [])], lookup, files: FILES.includes(name) };
}

function choicesIn(description: string): string[] {
  const [, list] = CHOICES.exec(description) ?? [];
  return list === undefined ? [] : list.split(/,? or |, /);
}
