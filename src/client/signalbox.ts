/** The library's entry: submit tasks, look at them, steer them, hold claims. */

import type { ClaimNode } from '../claims/claim-set.ts';
import { type Config, loadConfig } from '../config/config.ts';
import type { Options } from '../config/options.ts';
import { processSources } from '../config/process.ts';
import { createGit } from '../git/git.ts';
import type { AcceptedTask } from '../queue/store.ts';
import { type PreparedTask } from '../queue/submit.ts';
import { type Cancelled, TaskQueue } from '../queue/task-queue.ts';
import type { Connection } from '../redis/connect.ts';
import { producerConnection } from '../redis/connect.ts';
import { parseTasks, type TaskInput } from '../task/schema.ts';
import { isTerminal, type TaskState } from '../task/states.ts';
import type { Task } from '../task/task.ts';
import { Changes, type StateChange } from './changes.ts';
import { type ClaimsView, readClaims } from './claims-view.ts';
import { currentUser } from './current-user.ts';
import { type DrainedWorker, drain } from './drain.ts';
import { dryRun, type TaskEstimate } from './dry-run.ts';
import { type Explanation, explain } from './explain.ts';
import { type HoldContext, type HoldOptions, hold } from './hold.ts';
import { checkClaims, type HoldClaims, holdNodes, needsRepo } from './hold-claims.ts';
import { type HotView, readHot } from './hot.ts';
import { type KeptClaim, releaseKept } from './kept.ts';
import { type Limits, readLimits, setLimit } from './limits.ts';
import { type PlanView, planTasks } from './plan.ts';
import { Repositories } from './repositories.ts';
import { retryOf } from './retry.ts';
import { ClaimSession } from './session.ts';
import { readList, readStatus, type Status, type TaskSummary, type TaskView, viewOf } from './views.ts';

export type { HoldClaims } from './hold-claims.ts';

/** Which tasks `list` answers. */
export interface ListFilter {
  readonly state?: TaskState;
  readonly owner?: string;
  /** An address or a local path. */
  readonly repo?: string;
  readonly limit?: number;
}

/** A connection to one queue. Close it when you are done. */
export class Signalbox implements AsyncDisposable {
  readonly config: Readonly<Config>;
  /** The queue's own parts, for programs of this package. */
  readonly queue: TaskQueue;
  readonly #redis: Connection;
  readonly #repositories: Repositories;
  #changes: Promise<Changes> | undefined;

  private constructor(config: Readonly<Config>, redis: Connection, sources: ReturnType<typeof processSources>) {
    this.config = config;
    this.#redis = redis;
    this.queue = new TaskQueue(redis, config);
    this.#repositories = new Repositories(createGit({ env: sources.env }), sources.cwd);
  }

  /**
   * Connects, with options over the environment over `signalbox.yaml`. Throws INVALID for a wrong option and
   * REDIS_UNREACHABLE when Redis does not answer.
   */
  static async connect(options: Options = {}): Promise<Signalbox> {
    const sources = processSources();
    const config = loadConfig({ ...sources, flags: options });
    return new Signalbox(config, await producerConnection(config.redisUrl), sources);
  }

  /** Queues one task or a list, all or none. Throws INVALID naming the field, IDEMPOTENCY, UNSUPPORTED. */
  async submit(input: TaskInput | readonly TaskInput[]): Promise<AcceptedTask[]> {
    return await this.submitTasks(parseTasks(input, this.config.presets));
  }

  /** Queues tasks that are validated already. */
  async submitTasks(tasks: readonly Task[]): Promise<AcceptedTask[]> {
    return await this.queue.submit(await this.#prepare(tasks));
  }

  /** Checks tasks as `submit` does, queues nothing, and says when each would be likely to start. */
  async estimate(input: TaskInput | readonly TaskInput[]): Promise<TaskEstimate[]> {
    return await this.estimateTasks(parseTasks(input, this.config.presets));
  }

  /** The same for tasks that are validated already. */
  async estimateTasks(tasks: readonly Task[]): Promise<TaskEstimate[]> {
    const { queue, config } = this;
    return await dryRun({ queue, keepAfterMs: config.keepAfterMs }, await this.#prepare(tasks));
  }

  /**
   * Asks each distinct remote of these tasks once whether it can be reached. Throws REMOTE_UNREACHABLE naming the
   * field of the first task whose remote cannot.
   */
  async checkRemotes(tasks: readonly Pick<Task, 'repo'>[]): Promise<void> {
    await this.#repositories.check(tasks);
  }

  /** A task with its history. Throws NOT_FOUND or TASK_LOST. */
  async get(id: string): Promise<TaskView> {
    const record = await this.queue.get(id);
    return viewOf(record, await this.queue.store.history(id));
  }

  /** Kept tasks, newest first. */
  async list(filter: ListFilter = {}): Promise<TaskSummary[]> {
    const { repo, ...rest } = filter;
    return await readList(this.queue, {
      ...rest,
      repoKey: repo === undefined ? undefined : await this.identityOf(repo),
    });
  }

  /** Waits until a task has ended; answers how. Rejects with the reason of `signal` when that is aborted. */
  async waitFor(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<TaskView> {
    const changes = await this.#listen();
    for (;;) {
      const leave = new AbortController();
      // Listening begins before the look, so that an end in between is not missed.
      const change = changes.next(
        (news) => news === 'reconnected' || (news.id === id && isTerminal(news.state)),
        AbortSignal.any([leave.signal, ...(signal === undefined ? [] : [signal])]),
      );
      try {
        signal?.throwIfAborted();
        const { state } = await this.queue.get(id);
        if (isTerminal(state)) return await this.get(id);
        await change;
      } finally {
        leave.abort();
      }
    }
  }

  /** Cancels a task: at once if it waits (`cancelled`), else its runner is asked to stop (`requested`). */
  async cancel(id: string): Promise<Cancelled> {
    return await this.queue.cancel(id);
  }

  /**
   * Runs an ended task again as a new one, on its own: without its idempotency key and its dependencies. Throws STATE if
   * it has not ended, INVALID if it is not as it was signed.
   */
  async retry(id: string): Promise<AcceptedTask> {
    const again = await retryOf(await this.queue.get(id), this.queue.store);
    const [accepted] = await this.queue.submit([again]);
    return accepted as AcceptedTask;
  }

  /** Why a task waits, or how it ended. */
  async explain(id: string): Promise<Explanation> {
    return await explain({ queue: this.queue, keepAfterMs: this.config.keepAfterMs }, id);
  }

  /** A dry run of validated tasks: what would run beside what, and how long all would take. Throws INVALID. */
  async planTasks(tasks: readonly Task[]): Promise<PlanView> {
    const { queue, config } = this;
    const { git, cwd } = this.#repositories;
    return await planTasks(tasks, { git, cwd, keepAfterMs: config.keepAfterMs, queue });
  }

  /** The identity of a repository, by which it is locked: the same for every spelling. Throws INVALID. */
  async identityOf(repo: string): Promise<string> {
    return (await this.#repositories.resolve(repo)).key;
  }

  /** What is held and who waits, in all repositories or one. */
  async claims(repo?: string): Promise<ClaimsView> {
    return await readClaims(this.queue, repo === undefined ? undefined : await this.identityOf(repo));
  }

  /** What the kept tasks have waited for longest, in all repositories or one. */
  async hot({ repo, limit }: { readonly repo?: string; readonly limit?: number } = {}): Promise<HotView> {
    return await readHot(this.queue, { repoKey: repo === undefined ? undefined : await this.identityOf(repo), limit });
  }

  /** The state of the whole queue. */
  async status(): Promise<Status> {
    return await readStatus(this.queue);
  }

  /** The limits in force. */
  async limits(): Promise<Limits> {
    return await readLimits(this.queue);
  }

  /** Sets a limit, or takes it away with null; takes effect at once. Throws INVALID; STATE for a resource in use. */
  async setLimit(name: string, value: number | null): Promise<Limits> {
    return await setLimit(this.queue, name, value);
  }

  /** Starts no more tasks until `resume`; what runs goes on, what waits keeps its place. False if it was paused. */
  async pause(): Promise<boolean> {
    return await this.queue.pause();
  }

  /** Goes on after `pause`. False if it was not paused. */
  async resume(): Promise<boolean> {
    return await this.queue.resume();
  }

  /** Lets workers, by id or name, or all, end what they run and leave; see `drain.ts`. Throws NOT_FOUND. */
  async drain(names?: readonly string[], { wait }: { readonly wait?: boolean } = {}): Promise<DrainedWorker[]> {
    return await drain(this.queue, { ...(names === undefined ? {} : { names }), wait });
  }

  /** Ends claims that a task, a branch or a runner keeps until a merge. Throws NOT_FOUND if there are none. */
  async releaseKept(name: string): Promise<KeptClaim[]> {
    return await releaseKept(this.queue, name);
  }

  /**
   * Calls `listener` with every change of state from now on; `reconnected` tells that some may have been missed.
   * Answers how to end it.
   */
  async watch(listener: (change: StateChange | 'reconnected') => void): Promise<() => void> {
    return (await this.#listen()).listen(listener);
  }

  /**
   * Changes of state from the moment this resolves, until the loop is left:
   * `for await (const change of await signalbox.events()) …`.
   */
  async events(): Promise<AsyncGenerator<StateChange, void>> {
    return (await this.#listen()).stream();
  }

  /** Calls `fn` while these claims are held; see `hold.ts`. `wait: false` throws CONFLICT instead of waiting. */
  async hold<T>(
    claims: HoldClaims,
    fn: (context: HoldContext) => T | Promise<T>,
    options: HoldOptions = {},
  ): Promise<T> {
    const parts = { queue: this.queue, timings: this.config };
    return await hold(parts, { nodes: await this.#nodesOf(claims), options }, fn);
  }

  /** Claims for as long as somebody works, taken as it turns out what they need; see `session.ts`. Close it. */
  session(label?: string): ClaimSession {
    const { queue, config: timings } = this;
    return new ClaimSession({ queue, timings, label, nodesOf: async (claims) => await this.#nodesOf(claims) });
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    (await this.#changes)?.close();
    await this.queue.close();
    this.#redis.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #nodesOf(claims: HoldClaims): Promise<ClaimNode[]> {
    const checked = checkClaims(claims);
    return holdNodes(checked, needsRepo(checked) ? await this.identityOf(claims.repo) : '');
  }

  #listen(): Promise<Changes> {
    this.#changes ??= Changes.open(this.#redis, this.queue.keys).catch((error: unknown) => {
      // The next call tries again.
      this.#changes = undefined;
      throw error;
    });
    return this.#changes;
  }

  async #prepare(tasks: readonly Task[]): Promise<PreparedTask[]> {
    const repos = await this.#repositories.ofTasks(tasks);
    const owner = currentUser();
    return tasks.map((task, i) => ({ task, repo: repos[i] as PreparedTask['repo'], owner }));
  }
}
