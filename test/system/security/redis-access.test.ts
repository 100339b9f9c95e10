import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probePort } from '../../../src/redis/free-port.ts';
import { CliWorld } from '../../support/cli.ts';
import { ROOT } from '../../support/documents.ts';
import { until } from '../../support/system/until.ts';

/** A Redis that listens with TLS alone and knows only the users of the page. */
class SafeRedis implements AsyncDisposable {
  readonly port: number;
  readonly ca: string;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(child: ChildProcess, { port, ca }: { readonly port: number; readonly ca: string }) {
    this.#child = child;
    this.port = port;
    this.ca = ca;
    child.stdout?.on('data', (data: Buffer) => {
      this.#log += data.toString();
    });
  }

  static async start(dir: string): Promise<SafeRedis> {
    const [key, cert, acl] = ['redis.key', 'redis.pem', 'users.acl'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', '-x509', ...ec, '-keyout', key, '-out', cert, ...names], { stdio: 'ignore' });
    const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
    writeFileSync(acl, /```acl\n([^`]*)```/.exec(page)?.[1] ?? 'none');
    const port = await probePort(0);
    const tls = ['--port', '0', '--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', key];
    const rest = ['--tls-ca-cert-file', cert, '--tls-auth-clients', 'no', '--aclfile', acl, '--save', '', '--dir', dir];
    const child = spawn('redis-server', [...tls, ...rest, '--bind', '127.0.0.1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const redis = new SafeRedis(child, { port, ca: cert });
    await until('Redis is ready', () => {
      if (child.exitCode !== null) throw new Error(`Redis ended: ${redis.#log}`);
      return redis.#log.includes('Ready to accept connections');
    });
    return redis;
  }

  /** The environment of somebody in a role. */
  envOf(role: string): Record<string, string> {
    return { REDIS_URL: `rediss://${role}:${role}-password@localhost:${this.port}`, NODE_EXTRA_CA_CERTS: this.ca };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await until('Redis has ended', () => this.#child.exitCode !== null || this.#child.signalCode !== null);
  }
}

describe('the users of Redis that the page gives', () => {
  it('let each role do its part over TLS, and nothing else', async () => {
    await using world = new CliWorld();
    await using redis = await SafeRedis.start(world.dir);
    const as = async (role: string, ...args: string[]) =>
      await world.run([...args, '--json'], { env: { ...world.env, ...redis.envOf(role) } });
    const remote = world.remote();
    Object.assign(world.env, redis.envOf('worker'));
    await world.worker();

    const task = ['--repo', remote.dir, '--title', 'A task', '--run', 'echo work > work.txt', '--branch', 'task/one'];
    const waited = await as('producer', 'submit', ...task, '--wait');
    expect(waited, waited.stdout + waited.stderr).toMatchObject({ code: 0 });
    expect(remote.show('task/one', 'work.txt')).toBe('work\n');
    const { tasks } = (await as('producer', 'list')).json as { tasks: { id: string; state: string }[] };
    expect(tasks).toMatchObject([{ state: 'succeeded' }]);
    const id = tasks[0]?.id ?? '';
    const again = await as('producer', 'retry', id);
    expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 });
    await world.reached((again.json as { tasks: { id: string }[] }).tasks[0]?.id ?? '', 'succeeded');

    for (const command of [['explain', id], ['claims']]) {
      const looked = await as('reader', ...command);
      expect(looked, `${command.join(' ')}: ${looked.stdout}${looked.stderr}`).toMatchObject({ code: 0 });
    }
    const checks = ((await as('worker', 'doctor')).json as { checks: { name: string; ok: boolean; message: string }[] })
      .checks;
    expect(checks.find(({ name }) => name === 'redis-tls')).toMatchObject({
      ok: true,
      message: 'talks to Redis over TLS',
    });
    expect(checks.find(({ name }) => name === 'redis-user')).toMatchObject({ ok: true });
    expect(checks.find(({ name }) => name === 'git-hooks')).toMatchObject({ ok: true });
    expect(((await as('worker', 'list')).json as { tasks: unknown[] }).tasks).toHaveLength(2);
    const stranger = await as('nobody', 'list');
    expect(stranger.code).toBe(5);
    expect(stranger.stdout).not.toContain('nobody-password');
    const distrustful = await world.run(['list', '--json'], { env: { ...world.env, NODE_EXTRA_CA_CERTS: '' } });
    expect(distrustful.code).toBe(5);
  });

  it('refuse what a role may not do, and say so', async () => {
    await using world = new CliWorld();
    await using redis = await SafeRedis.start(world.dir);
    const remote = world.remote();
    const task = ['--repo', remote.dir, '--title', 'A task', '--run', 'true'];
    const hold = ['--repo', remote.dir, '--write', 'a', '--', 'true'];
    for (const [role, ...command] of [
      ['reader', 'submit', ...task],
      ['producer', 'limits', 'set', 'owner:me', '1'],
      ['producer', 'exec', ...hold],
      ['producer', 'exec', '--no-wait', ...hold],
      ['reader', 'exec', ...hold],
    ] as [string, ...string[]][]) {
      const [name = '', ...rest] = command;
      const refused = await world.run([name, '--json', ...rest], { env: { ...world.env, ...redis.envOf(role) } });
      const error: unknown = expect.objectContaining({ code: 'FORBIDDEN' });
      expect(refused.json, `${role} ${command.join(' ')}`).toEqual({ error });
    }
  });
});
