/**
 * One run of a task: what its phases share, what stops it, and what is cleaned up after it.
 *
 * A run is open from the moment its claim is held until it is disposed of. Anything that must stop it (a lost claim, a
 * cancel, the task's timeout, a drain, a newer run) aborts `signal` once, with the first reason, and has the
 * supervisor kill its processes; the phase under way then ends, and no further one begins.
 */

import { join } from 'node:path';
import type { Claim } from '../claims/claim.ts';
import type { ClaimSpec } from '../claims/claim-set.ts';
import type { Fence } from '../git/fence.ts';
import type { Oid } from '../git/mirror.ts';
import { removeTree } from '../git/workspaces.ts';
import type { Artifact, CancelCode, TaskRecord } from '../queue/record.ts';
import type { Refusal, Writer } from '../queue/refusal.ts';
import type { Finish, Finished } from '../queue/store.ts';
import { insist } from '../redis/refusal.ts';
import type { Task } from '../task/task.ts';
import type { Checkout, RunResult } from './checkout.ts';
import type { Claimed } from './claim-task.ts';
import { type Ending, endingOf, RunStopped, type StopReason, withoutSecrets } from './ending.ts';
import { grow } from './growth.ts';
import { mergeOf } from './merge-watch.ts';
import { Progress } from './progress.ts';
import { makeRunFolder, markSaved, runPaths } from './run-folder.ts';
import { openRunSocket, type RunSocket } from './run-socket.ts';
import type { HeldClaim, Services } from './services.ts';
import type { SupervisedRun } from './supervisor/client.ts';
import type { Taken } from './take.ts';

/** A phase's name. */
export type PhaseName = 'prepare' | 'implement' | 'test' | 'publish' | 'archive';

/** A phase: does its work on the run and answers how the run ends, if it ends here. `skipped`: nothing to do. */
export type Phase = (run: Run) => Promise<Ending | 'skipped' | undefined>;

/** Opens a run whose claim is held. Dispose of it to stop its processes, give the claim back and clean up. */
export function openRun(taken: Taken, claimed: Claimed, services: Services): Run {
  return new Run(taken, claimed, services);
}

/** A run under way. */
export class Run {
  readonly task: Task;
  readonly record: TaskRecord;
  readonly services: Services;
  readonly runnerId: string;
  readonly number: number;
  /** Runners in the fleet when this one started, itself included. */
  readonly concurrentRunners: number;
  /** Whether it has the worker to itself, see `solitude.ts`. */
  readonly alone: boolean;
  readonly claim: Claim;
  /** The numbers of its slots by resource, from 1. */
  readonly slots: Readonly<Record<string, number>>;
  readonly progress: Progress;
  readonly startedAt = Date.now();
  /** Folders of this run: its own with checkout and private HOME in it, and what is kept. */
  readonly paths: ReturnType<typeof runPaths> & { readonly artifacts: string };
  readonly artifacts: Artifact[] = [];
  /** Values of the task's secrets by name, read in `prepare`. */
  secrets: Readonly<Record<string, string>> = {};
  result: RunResult = { commit: null, filesChanged: [] };
  /** What its pushes are fenced by; taken with the checkout if it is to publish. */
  fence: Fence | undefined;
  /** What the remote has accepted. */
  published: Oid | null = null;
  /** Whether all implement steps have been done, in this run or in the one whose patch it took over. */
  isImplemented = false;
  /** Whether the work in the checkout is that of an earlier run. */
  tookOver = false;
  /** Whether the paths stay claimed after the run, until its branch is merged. */
  keepsPaths = false;
  /** The base by its name on the remote, another task's result by its branch; null for the remote's HEAD. */
  baseName: string | null = null;
  /** Resolves when no growth is under way. */
  growth: Promise<void> = Promise.resolve();
  /** How the task ends if the run is stopped by a cancel. */
  cancelCode: CancelCode = 'cancelled';
  /** Woken when something was given back that a growth may wait for. */
  onWake: (() => void) | undefined;

  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #folder: Promise<void> | undefined;
  #spec: ClaimSpec;
  #grown: readonly string[];
  #checkout: Promise<Checkout> | undefined;
  #socket: Promise<RunSocket> | undefined;
  #processes: SupervisedRun | undefined;
  #released = false;
  #isArchived = true;
  #isSaved = false;

  constructor({ task, record, suspect }: Taken, claimed: Claimed, services: Services) {
    this.task = task;
    this.record = record;
    this.services = services;
    this.runnerId = claimed.runnerId;
    this.number = claimed.run;
    this.concurrentRunners = claimed.concurrentRunners;
    this.alone = suspect;
    this.claim = claimed.claim;
    this.slots = claimed.slots;
    this.#spec = claimed.spec;
    this.#grown = record.grown;
    const { dataDir } = services.config;
    this.paths = {
      ...runPaths(dataDir, this.runnerId),
      artifacts: join(dataDir, 'artifacts', record.id, `run-${this.number}`),
    };
    this.claim.onRenewed = (leftMs) => this.#processes?.extend(leftMs);
    this.claim.onRenewalFailed = (leftMs) => {
      const reason = `Redis did not take it; ${Math.round(leftMs)} ms are left`;
      services.events.emit({ type: 'lease.renewal_failed', runnerId: this.runnerId, reason });
    };
    this.claim.signal.addEventListener('abort', () => this.stop('lease_lost'), { once: true });
    if (this.claim.signal.aborted) this.stop('lease_lost');
    this.#timer = setTimeout(() => this.stop('timeout'), task.timeoutMs);
    services.runs.set(record.id, this);
    this.progress = new Progress(this);
    this.progress.started();
    if (claimed.cancel !== undefined) this.cancel(claimed.cancel);
  }

  /** Aborted with a `RunStopped` when the run must end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** As whom it writes to the task's record. */
  get writer(): Writer {
    return { by: 'run', number: this.number, runnerId: this.runnerId };
  }

  /** What is claimed. */
  get spec(): ClaimSpec {
    return this.#spec;
  }

  /** What it had to claim beyond what the task declares, by all its runs. */
  get grown(): readonly string[] {
    return this.#grown;
  }

  /** Notes what is claimed in addition: from here on the task claims it in every run. */
  claimed(more: readonly string[], spec: ClaimSpec): void {
    this.#spec = spec;
    this.#grown = [...new Set([...this.#grown, ...more])];
  }

  /** What is held, in the task's words: for handlers. */
  get heldClaim(): HeldClaim {
    const { write, read } = this.spec;
    return {
      taskId: this.record.id,
      runnerId: this.runnerId,
      run: this.number,
      branch: this.record.branch,
      write,
      read,
    };
  }

  /** Stops the run because somebody cancelled the task. */
  cancel(code: CancelCode): void {
    if (!this.signal.aborted) this.cancelCode = code;
    this.stop('cancelled');
  }

  /** Stops the run; the first reason counts. */
  stop(why: StopReason): void {
    if (this.signal.aborted) return;
    this.#stop.abort(new RunStopped(why));
    void this.#processes?.kill(why);
  }

  /** Runs a phase and reports it. What it throws becomes an ending; once stopped, only `archive` still begins. */
  async phase(name: PhaseName, phase: Phase): Promise<Ending | undefined> {
    if (!this.claim.isHeld) this.stop('lease_lost');
    if (this.signal.aborted && name !== 'archive') return endingOf(this.signal.reason);
    this.progress.phaseStarted(name);
    let ending: Ending | 'skipped' | undefined;
    try {
      ending = await phase(this);
      if (name !== 'archive') this.signal.throwIfAborted();
    } catch (error) {
      ending = endingOf(this.signal.aborted && name !== 'archive' ? this.signal.reason : error);
    }
    if (name === 'archive') this.#isArchived = ending === undefined || ending === 'skipped';
    this.progress.phaseFinished(ending);
    if (ending === undefined || ending === 'skipped') return undefined;
    return withoutSecrets(ending, Object.values(this.secrets));
  }

  /** The run's checkout, made at the first call by `make`. */
  checkout(make: () => Promise<Checkout>): Promise<Checkout> {
    this.#checkout ??= this.#makeFolder().then(make);
    return this.#checkout;
  }

  /** The checkout if one was asked for and could be made. */
  async madeCheckout(): Promise<Checkout | undefined> {
    return await this.#checkout?.catch(() => undefined);
  }

  /** The run's place in the supervisor, opened at the first step. */
  async processes(): Promise<SupervisedRun> {
    if (this.#processes === undefined) {
      const supervisor = await this.services.supervisor();
      this.signal.throwIfAborted();
      await this.#makeFolder();
      this.#processes = supervisor.openRun({ runId: this.runnerId, deadlineMs: this.claim.leftMs });
    }
    return this.#processes;
  }

  /** Where its steps ask for more; opened at the first step. */
  async socket(): Promise<string> {
    this.#socket ??= this.#makeFolder().then(
      async () => await openRunSocket(this.paths.folder, async (more) => await grow(this, more)),
    );
    return (await this.#socket).path;
  }

  /** Whether a step was given to the supervisor; without one there is no log. */
  get ranCommands(): boolean {
    return this.#processes !== undefined;
  }

  /** Ends all processes of the run; resolves at their confirmed death. */
  async stopProcesses(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#processes?.close();
    await this.#socket?.then(
      async ({ close }) => await close(),
      () => {},
    );
  }

  /**
   * Ends the task and gives the claim back, so that nobody who is served sees the task still running. While Redis takes no
   * writes it tries on: a newer run, if there is one by then, is what refuses a write that comes too late.
   */
  async endTask(finish: Finish): Promise<Finished | Refusal> {
    const end = { id: this.record.id, writer: this.writer, finish };
    if (this.keepsPaths) {
      const finishing = insist(async () => await this.services.queue.finish(end.id, end.writer, finish));
      return (await Promise.all([finishing, this.release()]))[0];
    }
    await this.#letGo();
    const finished = await insist(async () => await this.services.queue.endRun(this.claim, end));
    this.#reportReleased();
    return finished;
  }

  /** Gives the claim back. Nothing of the task may run any more. */
  async release(): Promise<void> {
    if (this.#released) return;
    await this.#letGo();
    // What Redis does not take back now is for the reaper: nobody renews it any more.
    await (this.keepsPaths ? this.claim.keep(mergeOf(this)) : this.claim.release()).catch(() => []);
    this.#reportReleased();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopProcesses();
    await this.release();
    if (this.services.runs.get(this.record.id) === this) this.services.runs.delete(this.record.id);
    if (this.#isSaved) await removeTree(this.paths.folder);
    else this.services.leftBehind.add(this.runnerId);
    const facts = { ...this.progress.facts, durationMs: Date.now() - this.startedAt };
    this.services.events.emit({ type: 'run.ended', ...facts });
  }

  #makeFolder(): Promise<void> {
    const note = { taskId: this.record.id, run: this.number, workerId: this.services.workerId };
    this.#folder ??= makeRunFolder(this.paths.folder, note);
    return this.#folder;
  }

  async #letGo(): Promise<void> {
    this.#released = true;
    // Work that could not be kept stays where it is.
    if (this.#isArchived || this.published !== null) await this.#markSaved();
  }

  #reportReleased(): void {
    const facts = { runnerId: this.runnerId, taskId: this.record.id, heldMs: Date.now() - this.startedAt };
    this.services.events.emit({ type: 'claim.released', ...facts });
  }

  async #markSaved(): Promise<void> {
    if (this.#folder === undefined) return;
    this.#isSaved = true;
    // Only for the one who finds the folder if this worker dies before it has removed it.
    await markSaved(this.paths.folder).catch(() => {});
  }
}
