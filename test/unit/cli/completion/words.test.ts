import { describe, expect, test } from 'vitest';
import { complete } from '../../../../src/cli/completion/words.ts';
import { Output } from '../../../../src/cli/output.ts';
import { createProgram } from '../../../../src/cli/program.ts';

const out = new Output({ json: false, env: {}, stdout: process.stdout, stderr: process.stderr });
const program = await createProgram({ out, setExitCode: () => {} });
const after = (line: string) => complete(program, line.split(' '));

describe('completion', () => {
  test('offers every command first', () => {
    expect(after('').words).toEqual([...program.commands.map((one) => one.name()), 'help']);
    expect(after('--json ').words).toContain('submit');
    expect(after('--queue web ').words).toContain('submit');
  });

  test('offers every option of every command', () => {
    for (const command of program.commands) {
      const { words } = after(`${command.name()} -`);
      for (const { long } of command.options) expect(words).toContain(long);
      expect(words).toEqual(expect.arrayContaining(['--json', '--queue', '--help']));
    }
  });

  test('offers the commands below a command', () => {
    expect(after('limits ').words).toContain('set');
    expect(after('claim ').words).toContain('add');
  });

  test.each([
    ['submit --publish ', ['push', 'land', 'patch', 'none']],
    ['submit --priority ', ['urgent', 'high', 'normal', 'low']],
    ['submit --on-conflict ', ['wait', 'fail', 'skip', 'proceed', 'supersede', 'preempt']],
    ['submit --undeclared ', ['claim', 'fail', 'warn']],
    ['submit --title ', []],
  ])('after %s offers the values that there are', (line, words) => {
    expect(after(line)).toMatchObject({ words, lookup: undefined });
  });

  test.each([
    ['show ', 'tasks'],
    ['explain t', 'tasks'],
    ['logs -f ', 'tasks'],
    ['submit --depends-on ', 'tasks'],
    ['submit --agent ', 'presets'],
    ['limits set ', 'limits'],
    ['drain ', 'workers'],
    ['submit --title ', undefined],
  ])('after %s looks up %s', (line, lookup) => {
    expect(after(line).lookup).toBe(lookup);
  });

  test.each(['submit ', 'plan x.yaml ', 'exec -- ', 'submit --write ', 'import '])('after %s takes files', (line) => {
    expect(after(line).files).toBe(true);
  });

  test.each(['show ID ', 'status '])('after %s has nothing more to offer', (line) => {
    expect(after(line)).toEqual({ words: [], lookup: undefined, files: false });
  });
});
