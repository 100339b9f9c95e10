import { describe, expect, test } from 'vitest';
import { Output } from '../../../src/cli/output.ts';
import { createProgram } from '../../../src/cli/program.ts';

const out = new Output({ json: true, env: {}, stdout: process.stdout, stderr: process.stderr });
/** The program for these arguments, and which of its commands are more than names. */
async function asked(line: string) {
  const argv = line === '' ? [] : line.split(' ');
  const program = await createProgram({ out, setExitCode: () => {} }, argv);
  const loaded = program.commands.filter((command) => command.summary() !== '').map((command) => command.name());
  return { names: program.commands.map((command) => command.name()), loaded };
}

// Outside of any test, since it takes a while the first time.
const all = await asked('');

describe('what is loaded for a call', () => {
  test('is the command that it names, among the names of all', async () => {
    const { names, loaded } = await asked('--json status --watch');
    expect(loaded).toEqual(['status']);
    expect(names).toEqual(all.names);
  });

  test.each(['', '--help', 'help', '--version', 'statsu', '--queue status', '--data list --help'])(
    'is all of it where none is named: `signalbox %s`',
    async (line) => {
      const { names, loaded } = await asked(line);
      expect(loaded).toEqual(names);
    },
  );

  test.each([
    ['help status', ['status']],
    ['--queue list show t1', ['show']],
    ['completion --complete-words -- claims rel', ['claims', 'completion']],
  ])('is what is meant: `signalbox %s`', async (line, loaded) => {
    expect((await asked(line)).loaded).toEqual(loaded);
  });
});
