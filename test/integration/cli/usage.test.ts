import { describe, expect, test } from 'vitest';
import { CliWorld } from '../../support/cli.ts';

/** Every command that needs Redis, with arguments that are right. */
const COMMANDS = [
  ['submit', '--run', 'true', '--repo', 'https://git.invalid/a/b'],
  ['list'],
  ['show', 'ID'],
  ['logs', 'ID'],
  ['status'],
  ['claims'],
  ['explain', 'ID'],
  ['cancel', 'ID'],
  ['retry', 'ID'],
  ['exec', '--repo', 'https://git.invalid/a/b', '--write', 'a', 'true'],
  ['limits'],
  ['limits', 'set', 'max_parallel_runners', '3'],
  ['pause'],
  ['resume'],
  ['drain'],
  ['claims', 'release', 'ID'],
  ['prune', '--dry-run'],
  ['worker'],
  ['up'],
];

/** The last port: nobody listens there. */
const NOWHERE = 'redis://127.0.0.1:65535';

describe('a command that is typed wrongly', () => {
  test.each([
    { args: ['sumbit'], next: 'Did you mean `submit`? See `signalbox --help`.' },
    { args: ['list', '--sate', 'x'], next: 'Did you mean `--state`? See `signalbox list --help`.' },
    { args: ['list', '--state', 'x'], next: 'See `signalbox list --help`.' },
    { args: ['list', '--limit', '0'], next: 'See `signalbox list --help`.' },
    { args: ['show'], next: 'See `signalbox show --help`.' },
    { args: ['up', '--workers', '0'], next: 'See `signalbox up --help`.' },
    { args: ['worker', '--drain', 'soon'], next: 'See `signalbox worker --help`.' },
    { args: ['status', '--watch'], next: 'Ask again with `signalbox status --json`.' },
    { args: ['logs', 'ID', '-f', '--run', '1'], next: 'Leave one out: an earlier run does not grow.' },
    {
      args: ['submit'],
      next: 'Give task files, `-` for standard input, or at least `--run COMMAND` or `--agent NAME`.',
    },
    { args: ['submit', '--write', 'a'], next: 'Give a command with `--run`, an agent with `--agent`, or a task file.' },
    { args: ['submit', '--prompt', 'do it'], next: 'Name one: `--agent claude`.' },
    { args: ['submit', '--agent', 'claude'], next: "Say it with `--prompt 'Add rate limiting to the login'`." },
    {
      args: ['submit', 'a.yaml', '--run', 'true'],
      next: 'Write it into the file, or describe the whole task by flags.',
    },
    { args: ['submit', 'no-such.yaml'], next: 'Name a task file, or `-` for standard input.' },
    { args: ['claim'], next: 'Type `signalbox claim add PATH`.' },
    { args: ['claim', 'add', 'a'], next: 'Claim from the start what you know of, with `submit --write`.' },
    { args: [], next: 'See them with `signalbox --help`.' },
    {
      args: ['--queue', 'status', 'list', '--sate', 'x'],
      next: 'Did you mean `--state`? See `signalbox list --help`.',
    },
  ])('$args ends with 2 and says what to do', async ({ args, next }) => {
    await using world = new CliWorld();
    const { code, json } = await world.run([...args, '--json']);
    expect(code).toBe(2);
    expect(json).toEqual({ error: { code: 'USAGE', message: expect.any(String) as string, next } });
  });

  test('is told on stderr without --json, and nothing is on stdout', async () => {
    await using world = new CliWorld();
    const { code, stdout, stderr } = await world.run(['list', '--sate', 'x']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      "error: Unknown option '--sate'.\nnext:  Did you mean `--state`? See `signalbox list --help`.\n",
    );
  });

  test.each([
    ['max_paralel_runners', '1', 'did you mean `max_parallel_runners`?'],
    ['resorce:db', '1', 'did you mean `resource:NAME`?'],
    ['owner', '1', 'must be followed by a name'],
    ['owner:', '1', 'must be followed by a name'],
    ['banana', '1', 'there is no such limit'],
    ['resource:db', '0', 'must be a whole number from 1 to 1000000; given "0"'],
    ['max_parallel_runners', '-1', 'must be a whole number'],
    ['spec:a', '1.5', 'must be a whole number'],
    ['weight:ann', '0', 'must be a number from 0.001 to 1000; given "0"'],
  ])('names a limit that cannot be: %s %s', async (name, value, says) => {
    await using world = new CliWorld();
    const { code, json } = await world.run(['limits', 'set', '--json', '--', name, value]);
    expect(code).toBe(2);
    expect(json.error).toMatchObject({ code: 'INVALID', field: name });
    expect(json.error.message).toContain(says);
    expect(json.error.next).toContain('owner:NAME, spec:NAME or resource:NAME');
  });

  test('names a wrong option of the configuration', async () => {
    await using world = new CliWorld();
    const { code, json } = await world.run(['list', '--json'], { env: { ...world.env, SIGNALBOX_QUEUE: 'My Queue' } });
    expect(code).toBe(2);
    expect(json.error).toMatchObject({ code: 'INVALID', field: 'SIGNALBOX_QUEUE' });
  });
});

describe('without Redis', () => {
  test.each(COMMANDS)('%s %s ends with 5', async (...args) => {
    await using world = new CliWorld();
    const { code, json } = await world.run([...args, '--json'], { env: { ...world.env, REDIS_URL: NOWHERE } });
    expect(json.error).toMatchObject({
      code: 'REDIS_UNREACHABLE',
      next: expect.stringContaining('REDIS_URL') as string,
    });
    expect(code).toBe(5);
  });

  test('doctor reports it and ends with 1', async () => {
    await using world = new CliWorld();
    const { code, json } = await world.run(['doctor', '--json'], { env: { ...world.env, REDIS_URL: NOWHERE } });
    expect(code).toBe(1);
    expect(json.ok).toBe(false);
    expect(json.checks).toContainEqual({
      name: 'redis',
      ok: false,
      level: 'error',
      message: expect.stringContaining('cannot be reached') as string,
      next: expect.stringContaining('signalbox up') as string,
    });
  });

  test('a dead `up` is named, and what to do', async () => {
    await using world = new CliWorld();
    const { REDIS_URL: _url, SIGNALBOX_DATA: _data, ...env } = world.env;
    const up = { redisUrl: NOWHERE, port: null, pid: 2 ** 22 + 1, dataDir: `${world.dir}/.signalbox` };
    const path = world.file('.signalbox/up.json', JSON.stringify(up));
    world.file('below/here', '');
    const { code, json } = await world.run(['list', '--json'], { env, cwd: `${world.dir}/below` });
    expect(code).toBe(5);
    expect(json.error).toEqual({
      code: 'REDIS_UNREACHABLE',
      message: `The \`signalbox up\` that ${path} names (process ${up.pid}) is not running: its Redis does not answer.`,
      next: 'Start it again with `signalbox up`; its tasks are kept.',
    });
  });
});

test('an id that was never given out is not found by any command', { timeout: 120_000 }, async () => {
  await using world = new CliWorld();
  for (const command of ['show', 'logs', 'explain', 'cancel', 'retry']) {
    const { code, json } = await world.run([command, 'tnothere-1', '--json']);
    expect({ command, code, error: json.error.code }).toEqual({ command, code: 1, error: 'NOT_FOUND' });
  }
});

test('an id that is mistyped or cut short is answered with the one that was meant', { timeout: 120_000 }, async () => {
  await using world = new CliWorld();
  const { dir } = world.remote();
  const id = await world.submit('--repo', dir, '--run', 'true');
  await world.submit('--repo', dir, '--run', 'true');
  const mistyped = `${id.slice(0, -1)}${id.endsWith('a') ? 'b' : 'a'}`;
  for (const given of [mistyped, id.slice(0, -3)]) {
    const { json } = await world.run(['show', given, '--json']);
    expect(json.error.next).toContain(`Did you mean ${id}? `);
  }
  expect((await world.run(['show', 'quite-another', '--json'])).json.error.next).not.toContain('Did you mean');
});
