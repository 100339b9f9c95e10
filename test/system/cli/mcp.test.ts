/** The MCP server as agents use it: started by the SDK's own client over stdio, against real Redis. */

import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Signalbox } from '../../../src/client/signalbox.ts';
import { CliWorld, PROGRAM } from '../../support/cli.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { until } from '../../support/system/until.ts';

let world: CliWorld;
let box: Signalbox;
let repo: string;
let open: Agent[];

beforeEach(async () => {
  world = new CliWorld({ leaseTtl: '2s' });
  repo = world.remote().dir;
  open = [];
  box = await Signalbox.connect({ redisUrl: testRedisUrl(), queue: world.queue, leaseTtl: '2s' });
});
afterEach(async () => {
  await Promise.all(open.map(async ({ client }) => await client.close()));
  await box.close();
  await world[Symbol.asyncDispose]();
});

interface Agent {
  readonly client: Client;
  readonly pid: number;
  /** Calls a tool; answers its structured content, its text and whether it failed. */
  // oxlint-disable-next-line typescript/no-explicit-any -- asserted by each test
  readonly call: (name: string, args?: object) => Promise<{ value: any; text: string; isError: boolean }>;
}

async function agent(env: Record<string, string> = {}): Promise<Agent> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [PROGRAM, 'mcp'],
    cwd: world.dir,
    env: { ...world.env, ...env },
    stderr: 'pipe',
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  const made: Agent = {
    client,
    pid: transport.pid ?? 0,
    call: async (name, args = {}) => {
      const { structuredContent, content, isError } = await client.callTool({ name, arguments: { ...args } });
      const [first] = content as { text: string }[];
      return { value: structuredContent, text: first?.text ?? '', isError: isError === true };
    },
  };
  open.push(made);
  return made;
}

const held = async (): Promise<string[]> => (await box.claims()).held.map(({ resource }) => resource).sort();

describe('what it offers', () => {
  test('is its tools, with a JSON Schema of their arguments made from the schema of tasks', async () => {
    const { client } = await agent();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      ...['submit', 'plan', 'list', 'show', 'explain', 'claims', 'claim', 'release'],
    ]);
    const properties = tools[0]?.inputSchema.properties as { tasks: { items: { required: string[] } } };
    expect(properties.tasks.items.required).toEqual(['title', 'repo', 'implement']);
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint).map(({ name }) => name)).toEqual([
      ...['plan', 'list', 'show', 'explain', 'claims'],
    ]);
    expect(client.getInstructions()).toContain('call claim');
  });

  test('speaks nothing but the protocol on stdout', async () => {
    const raw = world.start(['mcp'], { stdin: 'this is no JSON\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n' });
    const { stdout, code } = await raw.ended();
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string });
    expect(lines).toContainEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(new Set(lines.map(({ jsonrpc }) => jsonrpc))).toEqual(new Set(['2.0']));
    expect(code).toBe(0);
  });
});

describe('tasks', () => {
  test('are queued, listed, shown and explained as by the commands', async () => {
    const { call } = await agent();
    const task = { title: 'Do it', repo, branch: 'task/a', implement: [{ agent: 'claude', prompt: 'do it' }] };
    const submitted = await call('submit', { tasks: [task] });
    const id = submitted.value.tasks[0].id as string;
    expect(submitted).toMatchObject({ isError: false, text: `${id} queued`, value: { tasks: [{ state: 'queued' }] } });
    expect((await call('list', { state: 'queued' })).value).toEqual(await world.json('list'));
    const shown = await call('show', { id });
    expect(shown.value).toMatchObject({ id, state: 'queued', branch: 'task/a' });
    expect(shown.text).toContain(`${id} queued task/a: Do it`);
    const explained = await call('explain', { id });
    expect(explained.value).toMatchObject({ id, state: 'queued' });
    expect(explained.text).toContain(explained.value.next as string);
  });

  test('are planned without being queued', async () => {
    const { call } = await agent();
    const task = (title: string) => ({ title, repo, claims: { write: ['a'] }, implement: ['true'] });
    const { value, text } = await call('plan', { tasks: [task('one'), task('two')] });
    expect(value.waves).toEqual([[0], [1]]);
    expect(text).toContain('one and two both want path:a');
    expect((await world.json('list')).tasks).toEqual([]);
  });
});

describe('a call that fails', () => {
  test.each([
    {
      tool: 'submit',
      args: { tasks: [{ title: 'x', repo: '.', implement: ['x'], brnach: 'b' }] },
      field: 'tasks[0].brnach',
    },
    { tool: 'submit', args: { tasks: [{ title: 'x', repo: 'no/such', implement: ['x'] }] }, field: 'tasks[0].repo' },
    { tool: 'submit', args: {}, field: 'tasks' },
    { tool: 'list', args: { state: 'runing' }, field: 'state' },
    { tool: 'show', args: { id: '' }, field: 'id' },
    { tool: 'claim', args: { write: ['../x'] }, field: 'write[0]' },
    { tool: 'claim', args: { wirte: ['x'] }, field: 'wirte' },
    { tool: 'claim', args: {}, field: 'write' },
    { tool: 'claim', args: { write: ['x'], repo: 'no/such/folder' }, field: 'repo' },
    { tool: 'release', args: { id: 'x' }, field: 'id' },
  ])('of $tool with $args names $field and what to do', async ({ tool, args, field }) => {
    const { call } = await agent();
    const { isError, value, text } = await call(tool, args);
    expect({ isError, code: value.error.code, field: value.error.field }).toEqual({
      isError: true,
      code: 'INVALID',
      field,
    });
    expect(text).toContain(`next: ${value.error.next}`);
  });

  test('because nothing has that id, or there is no such tool', async () => {
    const { call } = await agent();
    expect((await call('explain', { id: 'tnothere-1' })).value.error.code).toBe('NOT_FOUND');
    expect((await call('clam')).text).toContain('Did you mean claim?');
  });

  test('because Redis is away says so, and the server lives', async () => {
    const { call, client } = await agent({ REDIS_URL: 'redis://127.0.0.1:65535' });
    for (const name of ['claims', 'claims']) expect((await call(name)).value.error.code).toBe('REDIS_UNREACHABLE');
    expect((await client.listTools()).tools).not.toEqual([]);
  });
});

describe('claims', () => {
  test('of two sessions exclude each other, and the second is told by whom and since when', async () => {
    const [one, two] = [await agent(), await agent()];
    const first = await one.call('claim', { repo, write: ['src/**'], branch: 'main' });
    expect(first).toMatchObject({ isError: false, text: 'You hold branch:main, path:src.' });
    const [listed] = (await box.claims()).held;
    const refused = await two.call('claim', { repo, write: ['src/a.ts'] });
    expect(refused.isError).toBe(true);
    expect(refused.value.error).toMatchObject({ code: 'CONFLICT', resource: 'path:src', since: listed?.since });
    expect(refused.text).toContain(`path:src is held by ${listed?.runnerId}`);
    expect(await two.call('claims', { repo })).toMatchObject({ text: expect.stringContaining('path:src') as string });
    // More is refused as well while something is held, and what is held stays.
    expect((await two.call('claim', { repo, write: ['docs'] })).isError).toBe(false);
    expect((await two.call('claim', { repo, write: ['src/a.ts'], waitMs: 60_000 })).value.error.code).toBe('CONFLICT');
    expect(await held()).toEqual(['branch:main', 'path:docs', 'path:src']);
    expect((await one.call('release')).text).toBe('Released branch:main, path:src.');
    expect((await two.call('claim', { repo, write: ['src/a.ts'] })).text).toBe('You hold path:docs, path:src/a.ts.');
  });

  test('exclude tasks: one that needs what a session holds waits until it is released', async () => {
    const { call } = await agent();
    await call('claim', { repo, write: ['src/**'] });
    const worker = await world.worker();
    const id = await world.submit('--repo', repo, '--write', 'src/a.ts', '--publish', 'none', '--run', 'true');
    await world.reached(id, 'blocked');
    expect((await call('explain', { id })).value.blockedBy[0]).toMatchObject({
      resource: 'path:src',
      holder: { kind: 'exec' },
    });
    await call('release');
    await world.reached(id, 'succeeded');
    await worker.stop();
  });

  test('wait their turn when asked to', async () => {
    const [one, two] = [await agent(), await agent()];
    await one.call('claim', { repo, write: ['src'] });
    const waiting = two.call('claim', { repo, write: ['src'], waitMs: 60_000 });
    await until('it waits', async () => (await box.claims()).waiting.length === 1);
    await one.call('release');
    expect((await waiting).isError).toBe(false);
  });

  test('end with the client, also while another call waits', async () => {
    const [one, two] = [await agent(), await agent()];
    await one.call('claim', { repo, write: ['a'] });
    const waiting = two.call('claim', { repo, write: ['a'], waitMs: 60_000 }).catch(() => 'the client went away');
    await until('it waits', async () => (await box.claims()).waiting.length === 1);
    await two.client.close();
    expect(await waiting).toBe('the client went away');
    await until('nobody waits', async () => (await box.claims()).waiting.length === 0);
    expect(await held()).toEqual(['path:a']);
    await one.client.close();
    await until('nothing is held', async () => (await held()).length === 0);
  });

  test('end with a server that is killed: its lease lapses, and whoever waits is served', async () => {
    const [one, two] = [await agent(), await agent()];
    await one.call('claim', { repo, write: ['a'] });
    process.kill(one.pid, 'SIGKILL');
    expect(await held()).toEqual(['path:a']);
    expect((await two.call('claim', { repo, write: ['a'], waitMs: 20_000 })).isError).toBe(false);
    expect(await held()).toEqual(['path:a']);
  });

  test('end with a client that is killed', async () => {
    const script = `
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      const server = spawn(process.execPath, [${JSON.stringify(PROGRAM)}, 'mcp'], { stdio: ['pipe', 'pipe', 'inherit'] });
      const send = (message) => server.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
      send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });
      send({ method: 'notifications/initialized' });
      send({ id: 2, method: 'tools/call', params: { name: 'claim', arguments: { repo: ${JSON.stringify(repo)}, write: ['a'] } } });
      server.stdout.on('data', () => {});
      writeFileSync(${JSON.stringify(`${world.dir}/server.pid`)}, String(server.pid));
    `;
    const program = world.file('client.mjs', script);
    const { spawn } = await import('node:child_process');
    const client = spawn(process.execPath, [program], { cwd: world.dir, env: world.env, stdio: 'ignore' });
    await until('it holds', async () => (await held()).length === 1);
    client.kill('SIGKILL');
    await until('nothing is held', async () => (await held()).length === 0);
    const server = readFileSync(`${world.dir}/server.pid`, 'utf8');
    await until('the server has ended', () => hasEnded(server));
  });
});

/** Also of one whose parent is gone and that nobody has buried yet: it has no command line any more. */
function hasEnded(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '';
  } catch {
    return true;
  }
}
