import { describe, expect, test } from 'vitest';
import { CliWorld } from '../../support/cli.ts';

const STEP = "implement: ['true']";

async function tasksIn(world: CliWorld): Promise<number> {
  return ((await world.json('list')) as { tasks: unknown[] }).tasks.length;
}

describe('an invalid task', () => {
  test.each([
    { flags: ['--write', '../x'], field: 'claims.write[0]' },
    { flags: ['--write', 'a', '--write', '/etc/passwd'], field: 'claims.write[1]' },
    { flags: ['--read', '.git/config'], field: 'claims.read[0]' },
    { flags: ['--write', 'a\\b'], field: 'claims.write[0]' },
    { flags: ['--branch=-x'], field: 'branch' },
    { flags: ['--branch=--upload-pack=x'], field: 'branch' },
    { flags: ['--branch', 'a..b'], field: 'branch' },
    { flags: ['--repo', 'ext::sh -c id'], field: 'repo' },
    { flags: ['--repo', 'https://me:hunter2@git.invalid/a'], field: 'repo' },
    { flags: ['--repo', 'no/such/folder'], field: 'repo' },
    { flags: ['--timeout', 'soon'], field: 'timeout' },
    { flags: ['--attempts', 'three'], field: 'attempts' },
    { flags: ['--attempts', '0'], field: 'attempts' },
    { flags: ['--priority', 'hgh'], field: 'priority' },
    { flags: ['--publish', 'merge'], field: 'publish' },
    { flags: ['--on-conflict', 'skp'], field: 'onConflict' },
    { flags: ['--preemptible', 'yes'], field: 'preemptible' },
    { flags: ['--until', 'megred'], field: 'claims.until' },
    { flags: ['--undeclared', 'ignore'], field: 'claims.undeclared' },
    { flags: ['--resource', 'a b'], field: 'claims.resources[0]' },
    { flags: ['--resource', 'nobody-has-it'], field: 'claims.resources[0]' },
    { flags: ['--base', 'task:nobody'], field: 'base' },
    { flags: ['--env', 'SIGNALBOX_X=1'], field: 'env.SIGNALBOX_X' },
    { flags: ['--depends-on', 'nobody'], field: 'dependsOn[0]' },
  ])('by flags $flags names $field and queues nothing', async ({ flags, field }) => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const { code, json, stdout, stderr } = await world.run([
      'submit',
      '--run',
      'true',
      '--repo',
      dir,
      ...flags,
      '--json',
    ]);
    expect({ code, field: json.error.field }).toEqual({ code: 2, field });
    expect(stdout + stderr).not.toContain('hunter2');
    expect(await tasksIn(world)).toBe(0);
  });

  test.each([
    {
      text: '- {title: A, repo: R, implement: [x]}\n- {title: B, repo: R, implement: [x], brnach: b}',
      field: '[1].brnach',
    },
    { text: 'title: A\nrepo: R', field: 'implement' },
    {
      text: '{"title": "A", "repo": "R", "implement": ["x"], "claims": {"write": ["a/../../b"]}}',
      field: 'claims.write[0]',
    },
    { text: '[]', field: '' },
    { text: 'title: [', field: '' },
    { text: '- {title: A, repo: R, implement: [x]}\n- {title: B, repo: R/none, implement: [x]}', field: '[1].repo' },
    {
      text: '- {title: A, repo: R, implement: [x]}\n- {title: B, repo: R, implement: [x], dependsOn: [nobody]}',
      field: '[1].dependsOn[0]',
    },
  ])('in a file names $field and the file, and queues none of the list', async ({ text, field }) => {
    await using world = new CliWorld();
    const file = world.file('tasks.yaml', text.replaceAll('R', world.remote().dir));
    const { code, json } = await world.run(['submit', file, '--json']);
    expect({ code, field: json.error.field }).toEqual({ code: 2, field });
    expect(json.error.message).toContain(file);
    expect(await tasksIn(world)).toBe(0);
  });

  test('in one of several files keeps all of them out', async () => {
    await using world = new CliWorld();
    const repo = world.remote().dir;
    const good = world.file('good.yaml', `[{title: A, repo: ${repo}, ${STEP}}, {title: B, repo: ${repo}, ${STEP}}]`);
    const bad = world.file('bad.yaml', `[{title: A, repo: ${repo}, ${STEP}}, {title: B, repo: ./none, ${STEP}}]`);
    const { code, json } = await world.run(['submit', good, bad, '--json']);
    expect(code).toBe(2);
    expect(json.error).toMatchObject({ code: 'INVALID', field: '[1].repo' });
    expect(json.error.message).toContain(`${bad}: `);
    expect(await tasksIn(world)).toBe(0);
  });
});

describe('submit', () => {
  test('prints the ids, one a line, and as JSON with their states', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const flags = ['--run', 'true', '--repo', dir, '--idempotency-key', 'k'];
    const first = await world.run(['submit', ...flags]);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^t[0-9a-z]{6}-[0-9a-z]{8}-[0-9a-z]{6}\n$/);
    const again = await world.json('submit', ...flags);
    expect(again).toEqual({ tasks: [{ id: first.stdout.trim(), state: 'queued', duplicate: true }] });
    const other = await world.run(['submit', ...flags, '--title', 'Other', '--json']);
    expect(other.json.error).toMatchObject({ code: 'IDEMPOTENCY', field: 'idempotencyKey' });
    expect(other.code).toBe(2);
  });

  test('takes several files and standard input as one list, in which tasks may depend on each other', async () => {
    await using world = new CliWorld();
    const repo = world.remote().dir;
    const one = world.file(
      'one.json',
      JSON.stringify({ title: 'One', repo, implement: ['true'], idempotencyKey: 'one' }),
    );
    const { code, json } = await world.run(['submit', one, '-', '--json'], {
      stdin: `title: Two\nrepo: ${repo}\n${STEP}\ndependsOn: [one]\n`,
    });
    expect(code).toBe(0);
    expect(json.tasks).toMatchObject([{ state: 'queued' }, { state: 'scheduled' }]);
  });

  test('counts a relative repository from the file’s folder, and with flags from the current one', async () => {
    await using world = new CliWorld();
    const remote = world.remote();
    remote.checkout(`${world.dir}/app`);
    const file = world.file('app/tasks/task.yaml', `title: A\nrepo: ..\n${STEP}\n`);
    const byFile = (await world.json('submit', file)) as { tasks: { id: string }[] };
    const byFlags = await world.run(['submit', '--run', '  echo   hi\n  there ', '--json'], {
      cwd: `${world.dir}/app`,
    });
    const [flagged] = byFlags.json.tasks as { id: string }[];
    for (const { id } of [...byFile.tasks, flagged!]) {
      expect((await world.json('show', id)).repo).toBe(remote.dir);
    }
    expect((await world.json('show', flagged!.id)).title).toBe('echo hi there');
  });

  test('passes every flag on', async () => {
    await using world = new CliWorld();
    const { dir } = world.remote();
    const id = await world.submit(
      ...[
        '--repo',
        dir,
        '--run',
        'one',
        '--run',
        'two',
        '--test',
        'auto',
        '--write',
        'a',
        '--write',
        'b',
        '--read',
        'c',
      ],
      ...[
        '--title',
        'T',
        '--base',
        'main',
        '--branch',
        'w',
        '--publish',
        'patch',
        '--message',
        'm',
        '--priority',
        'high',
      ],
      ...['--owner', 'o', '--spec', 's', '--on-conflict', 'fail', '--wait-timeout', '1m', '--timeout', '2m'],
      ...['--stall-timeout', '3m', '--attempts', '2', '--env', 'A=b=c', '--secret', 'S', '--checkout', 'claimed'],
      ...['--include', 'd', '--idempotency-key', 'k'],
    );
    expect(await world.json('show', id)).toMatchObject({
      title: 'T',
      base: 'main',
      branch: 'w',
      owner: 'o',
      spec: 's',
    });
    const twin = world.file(
      'twin.yaml',
      `{title: T, repo: ${dir}, base: main, branch: w, claims: {write: [a, b], read: [c]}, implement: [one, two], test: auto,
        publish: patch, message: m, priority: high, owner: o, spec: s, onConflict: fail, waitTimeout: 1m, timeout: 2m,
        stallTimeout: 3m, attempts: 2, env: {A: b=c}, secrets: [S], checkout: claimed, include: [d], idempotencyKey: k}`,
    );
    expect(await world.json('submit', twin)).toMatchObject({ tasks: [{ id, duplicate: true }] });
  });

  test('asks each remote first: 5 and nothing queued when one cannot be reached, unless told not to', async () => {
    await using world = new CliWorld();
    const repo = world.remote().dir;
    const text = `[{title: A, repo: ${repo}, ${STEP}}, {title: B, repo: 'http://127.0.0.1:65535/a/b', ${STEP}}]`;
    const file = world.file('tasks.yaml', text);
    const { code, json } = await world.run(['submit', file, '--json']);
    expect(code).toBe(5);
    expect(json.error).toMatchObject({ code: 'REMOTE_UNREACHABLE', field: '[1].repo' });
    expect(await tasksIn(world)).toBe(0);
    expect((await world.json('submit', file, '--no-check')).tasks).toHaveLength(2);
  });
});
