import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { codeBlocks, inlineCode, pages, ROOT } from '../../support/documents.ts';

const program = await createProgram({
  out: new Output({ json: true, env: {}, stdout: process.stdout, stderr: process.stderr }),
  setExitCode: () => {},
});

/** What is wrong with a line that calls `signalbox`; undefined when nothing is. */
function wrongIn(line: string): string | undefined {
  const [own = ''] = line.replace(/^.*?\bsignalbox /, '').split(/ -- | [|>&;#]/);
  const words = own.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  let command: Command = program;
  for (const word of words) {
    if (word.startsWith('-')) continue;
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  if (command === program && words[0]?.startsWith('-') !== true) return `there is no command ${words[0]}`;
  const known = [...program.options, ...command.options].flatMap(({ long, short }: Option) => [long, short]);
  const unknown = words
    .filter((word) => word.startsWith('-') && word !== '-')
    .find((word) => !['--help', '-h', ...known].includes(word.split('=')[0]));
  return unknown === undefined ? undefined : `${command.name()} has no option ${unknown}`;
}

const CALL = /^(?:[A-Z_]+=\S+ )*(?:npx )?signalbox [a-z-]/;

/** The sources without their comments, which may speak of what is to come. */
function sourceTexts(): { path: string; text: string }[] {
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ path: `src/${name}`, text: readFileSync(join(ROOT, 'src', name), 'utf8') }))
    .map(({ path, text }) => ({ path, text: text.replace(/^\s*(?:\/\*\*|\*|\/\/).*$/gm, '') }));
}

describe('the reader of commands', () => {
  test.each([
    'signalbox submit task.yaml --wait',
    "REDIS_URL=redis://10.0.0.5:6379 npx signalbox submit --run 'make --no-such-option' | head",
    'signalbox --version',
    'signalbox list --state blocked --json',
  ])('takes %s', (line) => {
    expect(wrongIn(line)).toBeUndefined();
  });

  test.each(['signalbox fly', 'signalbox list --no-such-option', 'signalbox show ID -z'])('refuses %s', (line) => {
    expect(wrongIn(line)).toBeDefined();
  });
});

test('every command that the documentation shows exists, with its options', () => {
  const wrong = pages().flatMap(({ path, text }) =>
    [...codeBlocks(text, 'sh').flatMap((code) => code.split('\n')), ...inlineCode(text)]
      .filter((line) => CALL.test(line))
      .flatMap((line) => (wrongIn(line) === undefined ? [] : [`${path}: ${line}: ${wrongIn(line)}`])),
  );
  expect(wrong).toEqual([]);
});

test('every command that a message or a help text tells the user to type exists, with its options', () => {
  const wrong = sourceTexts().flatMap(({ path, text }) => {
    const advice = [...text.matchAll(/\\?`(signalbox [a-z][^`\\]*)\\?`/g)].map(([, line = '']) => line);
    const examples = [...text.matchAll(/^ {2}examples: \[(.*?)\],$/gms)].flatMap(([, list = '']) =>
      [...list.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, single, double]) => single ?? double ?? ''),
    );
    const lines = [...advice, ...examples].filter((line) => CALL.test(line));
    return lines.flatMap((line) => (wrongIn(line) === undefined ? [] : [`${path}: ${line}: ${wrongIn(line)}`]));
  });
  expect(wrong).toEqual([]);
});
