/**
 * What a system test acts in: a queue of its own, worker processes, git remotes, a client and the client's own ledger
 * of what it has submitted. Everything in it ends with the test, however that ends.
 */

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { Signalbox, type TaskInput, type TaskView } from '../../../src/index.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/redis/embedded.ts';
import { removeFolder } from '../remove-folder.ts';
import { processesOf } from './processes.ts';
import { Proxy } from './proxy.ts';
import { git, Remote } from './remote.ts';
import { Stamps } from './stamps.ts';
import { until } from './until.ts';
import { type LoggedEvent, WorkerProcess } from './worker-process.ts';

/** How a test's world differs from the usual one. */
export interface WorldOptions {
  /** Default 10s, the product's own; shorter where faults are injected. */
  readonly leaseTtl?: string;
  readonly keepAfter?: string;
  /** `own`: a private Redis, for tests that stop or freeze it. */
  readonly redis?: 'shared' | 'own';
  /** What the client signs with and the workers ask for. */
  readonly signingKey?: string;
  /** The value of the secret `CANARY` in the workers' environment, which must turn up nowhere (I9). */
  readonly canary?: string;
}

/** What is there before a world is: it knows nothing of the test runner, so that other programs can have one too. */
export interface WorldPlace {
  /** The Redis of those that have none of their own. */
  readonly redisUrl: string;
  /** The compiled worker program. */
  readonly program: string;
}

/** A task with what most tests do not care about left out. */
export type TestTask = Partial<TaskInput> & Pick<TaskInput, 'implement'>;

const LEASE_TTL = '10s';
/** For one more task to end, backoffs and recoveries included. */
const DRAIN_MS = 100_000;

/** See the head of this file. */
export class World {
  readonly dir: string;
  readonly queue: string;
  readonly redisUrl: string;
  readonly leaseTtl: string;
  /** The private Redis, if there is one. */
  redis: EmbeddedRedis | undefined;
  readonly client: Signalbox;
  /** What worker processes are started by. */
  readonly program: string;
  readonly stamps: Stamps;
  /** The ids that were acknowledged, with what was submitted. */
  readonly ledger = new Map<string, TestTask>();
  /** All worker processes that were ever started, also those that are dead. */
  readonly workers: WorkerProcess[] = [];
  readonly remotes: Remote[] = [];
  readonly #proxies: Proxy[] = [];
  readonly canary: string | undefined;
  /** To be set by a test that has taken leases, claims or records away, or a supervisor: what follows is no defect. */
  hasLostLeases = false;
  /** To be set by a test whose Redis goes back to what it knew before: run numbers may be given out again. */
  hasLostData = false;
  readonly #env: Record<string, string>;

  private constructor(made: Pick<World, 'dir' | 'redis' | 'client' | 'program'>, options: WorldOptions) {
    const { dir, redis, client, program } = made;
    const { leaseTtl = LEASE_TTL, keepAfter, signingKey, canary } = options;
    this.dir = dir;
    this.redis = redis;
    this.client = client;
    this.program = program;
    this.queue = client.config.queue;
    this.redisUrl = client.config.redisUrl;
    this.leaseTtl = leaseTtl;
    this.canary = canary;
    this.stamps = new Stamps(join(dir, 'stamps'));
    for (const folder of ['home', 'cwd', 'tmp', 'gates', 'remotes', 'data']) mkdirSync(join(dir, folder));
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      HOME: join(dir, 'home'),
      TMPDIR: join(dir, 'tmp'),
      REDIS_URL: this.redisUrl,
      SIGNALBOX_QUEUE: this.queue,
      SIGNALBOX_LEASE_TTL: leaseTtl,
      SIGNALBOX_LOG_LEVEL: 'debug',
      ...(keepAfter === undefined ? {} : { SIGNALBOX_KEEP_AFTER: keepAfter }),
      ...(signingKey === undefined ? {} : { SIGNALBOX_SIGNING_KEY: signingKey }),
      ...(canary === undefined ? {} : { CANARY: canary }),
    };
  }

  /** Makes the folders, connects, and starts the private Redis if one is asked for. */
  static async open(options: WorldOptions, place: WorldPlace): Promise<World> {
    const dir = mkdtempSync(join(tmpdir(), 'signalbox-system-'));
    const redis =
      options.redis === 'own' ? await startEmbeddedRedis({ dir: join(dir, 'redis'), aof: true }) : undefined;
    const { leaseTtl = LEASE_TTL, keepAfter, signingKey } = options;
    const client = await Signalbox.connect({
      redisUrl: redis?.url ?? place.redisUrl,
      queue: `test-${ulid().toLowerCase()}`,
      dataDir: join(dir, 'client'),
      leaseTtl,
      ...(keepAfter === undefined ? {} : { keepAfter }),
      ...(signingKey === undefined ? {} : { signingKey }),
    });
    return new World({ dir, redis, client, program: place.program }, options);
  }

  /** The folder that a worker keeps its data in; all workers of a test are on one host and share one. */
  get dataDir(): string {
    return join(this.dir, 'data');
  }

  /** The folders that Signalbox must leave as they are: the workers' HOME, TMPDIR, and where they were started. */
  get foreignDirs(): string[] {
    return ['home', 'cwd', 'tmp'].map((folder) => join(this.dir, folder));
  }

  /** A new remote with one commit on `main`. */
  remote(name = `remote-${this.remotes.length + 1}`, files?: Readonly<Record<string, string>>): Remote {
    const remote = new Remote(join(this.dir, 'remotes'), name, files);
    this.remotes.push(remote);
    return remote;
  }

  /** A way to the queue's Redis that can be disturbed, and its address for the workers that are to take it. */
  async proxy(): Promise<{ readonly proxy: Proxy; readonly env: { readonly REDIS_URL: string } }> {
    const proxy = await Proxy.before(this.redisUrl);
    this.#proxies.push(proxy);
    return { proxy, env: { REDIS_URL: proxy.through(this.redisUrl) } };
  }

  /** The path of a file that does not exist yet, for steps to wait for. */
  gate(name: string): string {
    return join(this.dir, 'gates', name);
  }

  /** Lets the steps that wait for a gate go on. */
  openGate(name: string): void {
    writeFileSync(this.gate(name), '');
  }

  /** A step that the worker itself runs, without a checkout: for some time, or until a gate is open. */
  handled(how: { readonly ms: number } | { readonly gate: string }): TestTask['implement'][number] {
    const more = 'ms' in how ? how : { gate: this.gate(how.gate) };
    return { handler: 'work', input: { stamps: this.stamps.file, ...more } };
  }

  /** Submits one task and notes it in the ledger. */
  async submit(task: TestTask): Promise<string> {
    const [id = ''] = await this.submitAll([task]);
    return id;
  }

  /** Submits a list, all or none. The first remote is meant where a task names no repository. */
  async submitAll(tasks: readonly TestTask[]): Promise<string[]> {
    const inputs = tasks.map((task): TaskInput => ({ title: 'A task', repo: this.remotes[0]?.dir ?? '', ...task }));
    const accepted = await this.client.submit(inputs);
    for (const [i, { id }] of accepted.entries()) this.ledger.set(id, inputs[i] as TestTask);
    return accepted.map(({ id }) => id);
  }

  /** Starts worker processes, of the tests' own program unless another is named; resolves when all of them take tasks. */
  async startWorkers(
    count: number,
    {
      concurrency = 4,
      env = {},
      program = this.program,
    }: {
      readonly concurrency?: number;
      readonly env?: Readonly<Record<string, string>>;
      readonly program?: string;
    } = {},
  ): Promise<WorkerProcess[]> {
    const started = Array.from({ length: count }, async () => {
      const worker = await WorkerProcess.start({
        program,
        cwd: join(this.dir, 'cwd'),
        env: { ...this.#env, SIGNALBOX_DATA: this.dataDir, SIGNALBOX_CONCURRENCY: String(concurrency), ...env },
      });
      this.workers.push(worker);
      return worker;
    });
    const outcomes = await Promise.allSettled(started);
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason as Error;
      return outcome.value;
    });
  }

  /** The worker process that runs a task now. */
  async workerOf(id: string): Promise<WorkerProcess> {
    const { workerId } = await this.client.get(id);
    const worker = this.workers.find((one) => one.id === workerId);
    if (worker === undefined) throw new Error(`no worker of this test runs ${id}`);
    return worker;
  }

  /** What all workers have reported. */
  events(type?: string): LoggedEvent[] {
    return this.workers.flatMap((worker) => worker.events(type));
  }

  /** Waits until a task is in one of these states; answers it. */
  async reached(id: string, ...states: TaskView['state'][]): Promise<TaskView> {
    return await until(`task ${id} is ${states.join(' or ')}`, async () => {
      const task = await this.client.get(id);
      return states.includes(task.state) ? task : undefined;
    });
  }

  /** Waits until a task's step has noted its start in the given run. */
  async working(id: string, run = 1): Promise<void> {
    await until(`run ${run} of ${id} is at work`, () => this.stamps.of(id).length >= run);
  }

  /** Waits until a growth of this task waits for another run. */
  async claimGrowing(id: string): Promise<void> {
    await until(`a growth of ${id} waits`, () => this.events('claim.growing').some(({ taskId }) => taskId === id));
  }

  /** Waits until a task has ended; answers it. */
  async ended(id: string): Promise<TaskView> {
    return await this.reached(id, 'succeeded', 'failed', 'cancelled', 'skipped');
  }

  /**
   * Waits until all of the ledger has ended: without a restart by hand, after the last fault too (I11). It gives up when
   * nothing has ended for a while: how long all of it takes is the machine's affair.
   */
  async drained(): Promise<void> {
    const finished = async (): Promise<number> => (await this.client.status()).finished;
    for (let seen = await finished(); seen < this.ledger.size; ) {
      const before = seen;
      await until('a further task has ended', async () => (seen = await finished()) > before, DRAIN_MS).catch(
        async (error: unknown) => {
          const ids = [...this.ledger.keys()];
          const open = (await Promise.all(ids.map(async (id) => await this.client.get(id)))).filter(
            ({ finishedAt }) => finishedAt === null,
          );
          throw new Error(`${(error as Error).message}; open: ${open.map(({ id }) => id).join(', ')}`);
        },
      );
    }
  }

  /** Stops all workers that live, in good order. */
  async stopWorkers(): Promise<void> {
    const codes = await Promise.all(this.workers.filter(({ isAlive }) => isAlive).map((worker) => worker.stop()));
    if (codes.some((code) => code !== 0)) throw new Error(`workers ended with ${codes.join(', ')}`);
  }

  /** What a failed test was up to: the tasks that its error names with all that was told of them, else the first ones. */
  async describe(problem = ''): Promise<string> {
    const ids = [...this.ledger.keys()];
    const named = ids.filter((id) => problem.includes(id));
    const shown = named.length > 0 ? named : ids;
    const views = await Promise.all(
      shown.slice(0, 12).map((id) => this.client.get(id).catch((error: unknown) => error)),
    );
    const lines = views.map((view) =>
      JSON.stringify(view, (key, value: unknown) => (key === 'phases' ? undefined : value)),
    );
    const about = this.events().filter(({ taskId }) => named.includes(String(taskId)));
    const story = about
      .sort((a, b) => String(a['time']).localeCompare(String(b['time'])))
      .map((event) => JSON.stringify(event));
    const news = this.workers.map(({ pid, isAlive, complaints }, i) => {
      const last =
        this.workers[i]
          ?.events()
          .slice(-8)
          .map((event) => JSON.stringify(event)) ?? [];
      return `worker ${pid} ${isAlive ? 'lives' : 'is dead'}\n${[...last, ...complaints.slice(-20)].join('\n')}`;
    });
    const commits = this.remotes.map(({ dir }) => `${dir}\n${historyOf(dir)}`);
    return [...lines, ...story, ...news, ...(named.length > 0 ? commits : [])].join('\n');
  }

  /** Ends everything, whatever state it is in. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    for (const { pid } of processesOf([...this.ledger.keys()])) killQuietly(pid);
    if (this.redis !== undefined) killQuietly(this.redis.pid, 'SIGCONT');
    await this.client.close();
    await this.redis?.stop();
    removeFolder(this.dir);
  }
}

/** The newest commits of a remote, with whose they are. */
function historyOf(dir: string): string {
  const format =
    '%h %p%d %s | %(trailers:key=Signalbox-Task,valueonly,separator=%x20) %(trailers:key=Signalbox-Run,valueonly,separator=%x20)';
  return git(dir, 'log', '--glob=refs/heads/*', '--graph', '-150', `--format=${format}`);
}

function killQuietly(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
