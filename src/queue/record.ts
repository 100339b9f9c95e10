/** The record of a task as Redis keeps it: the truth about it; its BullMQ job is only its ticket to a worker. */

import type { TaskCode, TaskState } from '../task/states.ts';

/** A step that was run. */
export interface StepReport {
  readonly name: string;
  readonly exitCode: number | null;
  readonly durationMs: number;
  /** The end of its output, scrubbed of secrets. */
  readonly outputTail: string;
}

/** A phase of a run. */
export interface PhaseReport {
  readonly name: string;
  readonly state: 'running' | 'succeeded' | 'failed' | 'skipped';
  readonly startedAt: string;
  readonly durationMs: number | null;
  readonly steps: readonly StepReport[];
}

/** A file that a run left behind, at `path` below the data folder of the worker on `host`. */
export interface Artifact {
  readonly kind: 'diff' | 'log' | 'patch' | 'test-report';
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Somebody who had what the task needed. */
export interface ConflictReport {
  readonly resource: string;
  readonly holderTaskId: string | null;
  readonly at: string;
}

/** One change of state. */
export interface HistoryEntry {
  readonly state: TaskState;
  readonly at: string;
  readonly reason: string;
}

/** Why somebody who is not its runner ends a task. */
export type CancelCode = 'cancelled' | 'superseded';

/** Everything known about a task but its history. Times in ms since the epoch, null where not known. */
export interface TaskRecord {
  readonly id: string;
  readonly state: TaskState;
  readonly code: TaskCode | null;
  /** The validated task as JSON, see `task/stored.ts`. */
  readonly envelope: string;
  /** What `signature.ts` made of all that was submitted; null where nothing was signed. */
  readonly signature: string | null;
  readonly title: string;
  /** What git fetches from. */
  readonly repo: string;
  /** The repository's identity; what is locked. */
  readonly repoKey: string;
  /** The host a local repository belongs to. */
  readonly repoHost: string | null;
  readonly branch: string;
  readonly base: string | null;
  readonly owner: string;
  readonly spec: string | null;
  readonly priority: 'urgent' | 'high' | 'normal' | 'low';
  readonly rank: number;
  readonly sequence: number;
  readonly pickup: number;
  /** The number of the newest run; also how many there were. */
  readonly run: number;
  /** Runs that were charged to the task. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** Whether the newest run was never closed: it is under way, or its worker died. */
  readonly open: boolean;
  /** Runs whose worker died. */
  readonly crashes: number;
  /** Whether the newest run had its worker to itself. */
  readonly alone: boolean;
  readonly retryOf: string | null;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly blockedAt: number | null;
  readonly blockedSince: number | null;
  readonly blockedMs: number;
  /** Until when its job is parked; later than that nobody woke it. */
  readonly parkedUntil: number | null;
  readonly host: string | null;
  readonly runnerId: string | null;
  readonly workerId: string | null;
  readonly workspace: string | null;
  readonly isolation: string | null;
  /** How many runners there were in the fleet when the newest run started, itself included. */
  readonly concurrentRunners: number | null;
  /** The newest run's entry in the task's ledger: its commit. Null where there is none. */
  readonly fenceToken: string | null;
  /** What fences the newest run: `ledger`, or `branch: ` and why only the branch's own lease does. */
  readonly fence: string | null;
  readonly commit: string | null;
  readonly phases: readonly PhaseReport[];
  readonly conflicts: readonly ConflictReport[];
  readonly filesChanged: readonly string[];
  readonly artifacts: readonly Artifact[];
  readonly error: string | null;
  /** How the task shall end, if somebody asked its runner to stop. */
  readonly cancelRequested: CancelCode | undefined;
  /** Paths that it turned out to need beyond its claims, when it had to give up all it held. */
  readonly grown: readonly string[];
  /** How often it had to. */
  readonly yields: number;
  /** The patch of a run that had done its work and could not publish it, below the data folder of `host`. */
  readonly resume: string | null;
  /** The trace of its submission, as W3C writes it; null if that was not traced. */
  readonly traceparent: string | null;
}

/** A field of the hash that writers may set; null takes it away. */
export type RecordFields = Readonly<Record<string, string | number | null>>;

/** Reads a record's hash. */
export function readRecord(id: string, f: Readonly<Record<string, string>>): TaskRecord {
  const number = (field: string): number | null => (f[field] === undefined ? null : Number(f[field]));
  const text = (field: string): string | null => f[field] ?? null;
  const word = (field: string): string => f[field] ?? '';
  const count = (field: string): number => number(field) ?? 0;
  return {
    id,
    state: word('state') as TaskState,
    code: text('code') as TaskCode | null,
    envelope: word('envelope'),
    signature: text('signature'),
    title: word('title'),
    repo: word('repo'),
    repoKey: word('repoKey'),
    repoHost: text('repoHost'),
    branch: word('branch'),
    base: text('base'),
    owner: word('owner'),
    spec: text('spec'),
    priority: word('priority') as TaskRecord['priority'],
    rank: count('rank'),
    sequence: count('sequence'),
    pickup: count('pickup'),
    run: count('run'),
    attempts: count('attempts'),
    maxAttempts: Math.max(1, count('maxAttempts')),
    open: f['open'] !== undefined,
    crashes: count('crashes'),
    alone: f['alone'] !== undefined,
    retryOf: text('retryOf'),
    submittedAt: count('submittedAt'),
    startedAt: number('startedAt'),
    finishedAt: number('finishedAt'),
    blockedAt: number('blockedAt'),
    blockedSince: number('blockedSince'),
    blockedMs: count('blockedMs'),
    parkedUntil: number('parkedUntil'),
    host: text('host'),
    runnerId: text('runner'),
    workerId: text('worker'),
    workspace: text('workspace'),
    isolation: text('isolation'),
    concurrentRunners: number('concurrentRunners'),
    fenceToken: text('fenceToken'),
    fence: text('fence'),
    commit: text('commit'),
    phases: list(f['phases']),
    conflicts: conflictsOf(f),
    filesChanged: list(f['filesChanged']),
    artifacts: list(f['artifacts']),
    error: text('error'),
    cancelRequested: cancelOf(f['cancelRequested']),
    grown: list(f['grown']),
    yields: count('yields'),
    resume: text('resume'),
    traceparent: text('traceparent'),
  };
}

/** Reads a line of a task's history: `<ms since the epoch> <state> <reason>`. */
export function readChange(line: string): { readonly at: number; readonly state: TaskState; readonly reason: string } {
  const [, at = '0', state = '', reason = ''] = /^(\d{1,15}) (\w+) (.*)$/s.exec(line) ?? [];
  return { at: Number(at), state: state as TaskState, reason };
}

/** Reads a note that a task shall be cancelled. */
export function cancelOf(code: string | undefined): CancelCode | undefined {
  if (code === undefined || code === '') return undefined;
  return code === 'superseded' ? code : 'cancelled';
}

/** How many conflicts a record keeps: the newest. As in `outcome.lua`. */
const CONFLICTS_KEPT = 50;

/** `conflicts` counts them all, and `c:<number>` has one: `<ms since the epoch> <task or -> <resource>`. */
function conflictsOf(f: Readonly<Record<string, string>>): ConflictReport[] {
  const met = Number(f['conflicts'] ?? 0);
  const kept = Number.isSafeInteger(met) ? Math.max(0, Math.min(met, CONFLICTS_KEPT)) : 0;
  const texts = Array.from({ length: kept }, (_, i) => f[`c:${(met - kept + 1 + i) % CONFLICTS_KEPT}`] ?? '');
  return texts.flatMap((text) => {
    const [, at, task, resource = ''] = /^(\d{1,15}) (\S+) (.+)$/s.exec(text) ?? [];
    if (at === undefined) return [];
    return [
      {
        resource,
        holderTaskId: task === undefined || task === '-' ? null : task,
        at: new Date(Number(at)).toISOString(),
      },
    ];
  });
}

/** A list that a forged or damaged record may hold anything in place of. */
function list<T>(json: string | undefined): T[] {
  try {
    const value: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(value) ? (value as T[]) : [];
  } catch {
    return [];
  }
}
