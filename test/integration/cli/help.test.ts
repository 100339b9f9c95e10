import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { docText } from '../../support/markdown.ts';

const WIDTH = 100;
const out = new Output({ json: false, env: {}, stdout: process.stdout, stderr: process.stderr });
const program = await createProgram({ out, setExitCode: () => {} });

/** Every command with its help as it is printed, by its full name. */
function helps(): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (command: Command, name: string): void => {
    found.set(name, helpOf(command));
    for (const child of command.commands) visit(child, `${name} ${child.name()}`);
  };
  visit(program, 'signalbox');
  return found;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
    writeOut: (part) => {
      text += part;
    },
  });
  // What all commands take is told once.
  if (command.parent !== null) command.configureHelp({ showGlobalOptions: false });
  command.outputHelp();
  return text.trim();
}

test('docs/cli.md has the help of every command, as it is printed', () => {
  const documented = new Map(
    [...docText('cli.md').matchAll(/^##+ `(signalbox[^`]*)`\n.*?```text\n(.*?)\n```/gms)].map(([, name, text]) => [
      name ?? '',
      text ?? '',
    ]),
  );
  expect([...documented]).toEqual([...helps()]);
});

test('every command has a summary, the shape of its JSON and an example', () => {
  for (const [name, help] of helps()) {
    if (name === 'signalbox') continue;
    expect(help, name).toMatch(/\nJSON:\s\S/);
    expect(help, name).toMatch(/\nExamples:\n {2}\$ \S/);
  }
});
