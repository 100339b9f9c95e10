/** The completion scripts in the shells that they are for, and `init`. */

import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { SCRIPTS } from '../../../src/cli/completion/scripts.ts';
import { CliWorld, PROGRAM } from '../../support/cli.ts';

const run = promisify(execFile);

function isThere(shell: string): boolean {
  try {
    // Not started: some write into HOME when they are.
    execFileSync('sh', ['-c', 'command -v "$0"', shell], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** For each shell, a script that prints what `words` may go on with. */
const ASK = {
  bash: (words: string[]) => `
    eval "$(signalbox completion bash)"
    COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    _signalbox; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: (words: string[]) => `
    compdef() { :; }; compadd() { shift; print -l -- "$@"; }; _files() { print -l -- *; }
    eval "$(signalbox completion zsh)"
    words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=\${#words}
    _signalbox`,
  fish: (words: string[]) => `signalbox completion fish | source; complete -C '${words.join(' ')}'`,
};

test.each(['bash', 'zsh', 'fish'] as const)('%s completes commands, options, values, ids and files', async (shell) => {
  if (!isThere(shell)) return;
  await using world = new CliWorld();
  const { dir } = world.remote();
  const program = world.file('bin/signalbox', `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(program, 0o755);
  world.file('tasks.yaml', '');
  const id = await world.submit('--repo', dir, '--run', 'true');
  const env = { ...world.env, PATH: `${join(world.dir, 'bin')}:${world.env['PATH']}` };
  const offered = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await run(shell, ['-c', ASK[shell](['signalbox', ...words])], { env, cwd: world.dir });
    return stdout
      .split('\n')
      .map((line) => line.split('\t')[0] ?? '')
      .filter((line) => line !== '');
  };
  expect(await offered('su')).toContain('submit');
  expect(await offered('submit', '--pub')).toContain('--publish');
  expect(await offered('submit', '--publish', 'pu')).toContain('push');
  expect(await offered('submit', '--agent', 'cl')).toContain('claude');
  expect(await offered('show', id.slice(0, 6))).toContain(id);
  expect(await offered('submit', 'ta')).toContain('tasks.yaml');
  expect(await offered('limits', 'set', 'max')).toContain('max_parallel_runners');
});

test('completion prints each script, and refuses other shells', async () => {
  await using world = new CliWorld();
  expect(await world.json('completion', 'fish')).toEqual({ shell: 'fish', script: SCRIPTS.fish });
  const { code, json } = await world.run(['completion', 'csh', '--json']);
  expect({ code, next: json.error.next }).toEqual({ code: 2, next: 'Type `signalbox completion bash`, zsh or fish.' });
});

test('init writes a file that every command takes, once', async () => {
  await using world = new CliWorld();
  expect(await world.json('init')).toEqual({ path: join(world.dir, 'signalbox.yaml') });
  const text = readFileSync(join(world.dir, 'signalbox.yaml'), 'utf8');
  expect(text).toContain('# leaseTtl: 10s');
  expect((await world.run(['list'])).code).toBe(0);
  world.file('signalbox.yaml', 'queue: mine\n');
  const again = await world.run(['init', '--json']);
  expect({ code: again.code, error: again.json.error.code }).toEqual({ code: 1, error: 'STATE' });
  expect(again.json.error.next).toContain('--force');
  expect(readFileSync(join(world.dir, 'signalbox.yaml'), 'utf8')).toBe('queue: mine\n');
  await world.json('init', '--force');
  expect(readFileSync(join(world.dir, 'signalbox.yaml'), 'utf8')).toBe(text);
});
