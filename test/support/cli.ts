/** The built command line in a folder of its own, run as users run it: as a process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freshQueueName, testRedisUrl } from './redis.ts';
import { removeFolder } from './remove-folder.ts';
import { Remote } from './system/remote.ts';
import { until } from './system/until.ts';

/** The command line as it was built. */
export const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** What a command did. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON value on stdout. */
  // oxlint-disable-next-line typescript/no-explicit-any -- asserted by each test
  readonly json: any;
}

/** How to run a command differently. */
export interface RunOptions {
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A command that runs. */
export class Running {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.child = child;
    // Characters may be cut where parts are.
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#closed = once(child, 'close');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until it has ended. */
  async ended(): Promise<Ran> {
    await this.#closed;
    const { stdout, stderr, child } = this;
    return {
      code: child.exitCode,
      stdout,
      stderr,
      get json(): unknown {
        return JSON.parse(stdout) as unknown;
      },
    };
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ran> {
    if (this.isAlive) this.child.kill(signal);
    return await this.ended();
  }
}

/** A folder, a queue and git remotes for one test; everything that it starts ends with it. */
export class CliWorld implements AsyncDisposable {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'signalbox-cli-')));
  readonly queue = freshQueueName();
  readonly dataDir = join(this.dir, 'data');
  readonly env: Record<string, string>;
  readonly #started: Running[] = [];

  /** `leaseTtl`: the product's own; shorter where a test waits for the end of a lease. */
  constructor({ leaseTtl = '10s' }: { readonly leaseTtl?: string } = {}) {
    mkdirSync(join(this.dir, 'home'));
    this.env = {
      PATH: process.env['PATH'] ?? '',
      HOME: join(this.dir, 'home'),
      REDIS_URL: testRedisUrl(),
      SIGNALBOX_QUEUE: this.queue,
      SIGNALBOX_DATA: this.dataDir,
      SIGNALBOX_LEASE_TTL: leaseTtl,
    };
  }

  /** A remote with one commit. */
  remote(name = 'app'): Remote {
    return new Remote(this.dir, name);
  }

  /** Writes a file below the world's folder; answers its path. */
  file(name: string, text: string): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Starts a command. */
  start(args: readonly string[], { stdin, cwd = this.dir, env }: RunOptions = {}): Running {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd,
      env: env ?? this.env,
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    child.stdin?.end(stdin);
    const running = new Running(child);
    this.#started.push(running);
    return running;
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], options?: RunOptions): Promise<Ran> {
    return await this.start(args, options).ended();
  }

  /** Runs a command with `--json`; answers its value. Throws when it fails. */
  // oxlint-disable-next-line typescript/no-explicit-any -- asserted by each test
  async json(...args: readonly string[]): Promise<any> {
    const { code, stdout, stderr } = await this.run([...args, '--json']);
    if (code !== 0) throw new Error(`signalbox ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  }

  /** Submits a task by flags; answers its id. */
  async submit(...flags: readonly string[]): Promise<string> {
    return ((await this.json('submit', ...flags)) as { tasks: { id: string }[] }).tasks[0]?.id ?? '';
  }

  /** Starts a worker; resolves when it takes tasks. */
  async worker(...flags: readonly string[]): Promise<Running> {
    const worker = this.start(['worker', '--json', ...flags]);
    await until('the worker takes tasks', () => {
      if (!worker.isAlive) throw new Error(`the worker ended: ${worker.stderr}`);
      return worker.stdout.includes('\n');
    });
    return worker;
  }

  /** Waits until a task is in one of these states; answers what `show` says. */
  // oxlint-disable-next-line typescript/no-explicit-any -- asserted by each test
  async reached(id: string, ...states: readonly string[]): Promise<any> {
    return await until(`${id} is ${states.join(' or ')}`, async () => {
      const task = (await this.json('show', id)) as { state: string };
      return states.includes(task.state) ? task : undefined;
    });
  }

  /** Kills what still runs and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Asked first, so that a worker's supervisor ends its steps and `up` its children.
    await Promise.all(this.#started.map(async (one) => await endOf(one)));
    removeFolder(this.dir);
  }
}

async function endOf(running: Running): Promise<void> {
  const patience = setTimeout(() => running.child.kill('SIGKILL'), 10_000);
  if (running.isAlive) {
    running.child.kill('SIGTERM');
    running.child.kill('SIGTERM');
  }
  await running.ended();
  clearTimeout(patience);
}
