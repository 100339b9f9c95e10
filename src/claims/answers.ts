/** What the claim scripts answer, and how to read it. */

import type { SignalboxError } from '../errors.ts';
import type { HeldLock } from './locker.ts';
import type { Reply } from './request-client.ts';
import type { Lease, OverdueLeases } from './silence.ts';

/** A ticket that was served: its claim is reserved, its waiter must be told. */
export interface Grant {
  readonly kind: 'task' | 'hold';
  readonly ticket: string;
}

/** The obstacle of what the queue's Redis has admitted and the lock servers have not. */
export const LOCK_SERVERS = 'lock servers';

interface Asked {
  /** The number of this pick-up of the task; 0 for what is no run. */
  readonly pickup: number;
  /** Other tickets that the same step served. */
  readonly grants: readonly Grant[];
}

/** What became of a request. */
export type Acquired =
  | (Asked & {
      readonly kind: 'held';
      readonly lock: HeldLock;
      readonly run: number;
      readonly crashes: number;
      /** How many holders there are in the queue now, this one included. */
      readonly holders: number;
      /** The numbers of its slots, from 1, by resource. */
      readonly slots: Readonly<Record<string, number>>;
      /** What it holds beside others because it proceeds: the node, and the task that has it. */
      readonly beside: readonly (readonly [string, string])[];
      /** How long ago it was granted, by Redis' clock; null if it was not. */
      readonly handOverMs: number | null;
      /** How the task shall end, if somebody asked for its cancel. */
      readonly cancel: string | null;
    })
  /** In line under `obstacle`, which `blocker` (a task, or '') has; `own`: behind an earlier run of the same task. */
  | (Asked &
      Refused & {
        readonly kind: 'blocked';
        readonly own: boolean;
        readonly preempts: readonly string[];
      })
  | (Asked & Refused & { readonly kind: 'conflict' })
  /** Another worker has the task's job by now, or the task has ended: this one must do nothing. */
  | { readonly kind: 'stale' | 'ended' }
  /** The lock servers did not agree, for this reason; it was given back, which may have served others. */
  | (Asked & { readonly kind: 'unconfirmed'; readonly reason: string })
  /** Redis gave no answer; whatever it took was given back, which may have served others. */
  | { readonly kind: 'unknown'; readonly error: SignalboxError; readonly grants: readonly Grant[] };

interface Refused {
  readonly obstacle: string;
  readonly blocker: string;
  readonly grants: readonly Grant[];
}

/** What became of a growth. `yield`: an older holder has it, so this one must give up all it holds. */
export type Grown =
  | { readonly kind: 'grown'; readonly names: readonly string[]; readonly grants: readonly Grant[] }
  | (Refused & { readonly kind: 'waiting' | 'yield' | 'refused' })
  | { readonly kind: 'lost' };

interface Details {
  readonly obstacle: string;
  readonly blocker: string;
}

/** Reads what `acquire.lua` answered; `lock` is there for a yes. */
export function readAcquired([, kind, json, ...rest]: Reply = [], lock?: HeldLock): Acquired {
  if (kind === 'stale' || kind === 'ended') return { kind };
  const details: unknown = JSON.parse(String(json ?? '{}'));
  const grants = readGrants(rest);
  if (kind === 'held' && lock !== undefined) {
    const {
      pickup = 0,
      run,
      crashes,
      holders,
      slots,
      beside,
      handOver,
      cancel,
    } = details as {
      readonly [count in 'run' | 'crashes' | 'holders']: number;
    } & {
      readonly pickup?: number;
      readonly slots: string | false;
      readonly beside?: unknown;
      readonly handOver?: number;
      readonly cancel?: string | false;
    };
    const numbers = JSON.parse(slots === false ? '{}' : slots) as Record<string, number>;
    const facts = { handOverMs: handOver ?? null, cancel: cancel || null };
    return { kind, lock, pickup, run, crashes, holders, slots: numbers, beside: asList(beside), ...facts, grants };
  }
  const {
    pickup = 0,
    obstacle,
    blocker,
    preempts,
  } = details as Details & {
    readonly pickup?: number;
    readonly preempts?: readonly string[];
  };
  if (kind === 'conflict') return { kind, pickup, obstacle, blocker, grants };
  return {
    kind: 'blocked',
    pickup,
    own: kind === 'own',
    obstacle,
    blocker,
    preempts: preempts ?? [],
    grants,
  };
}

/** Lua cannot tell an empty list from an empty object. */
function asList<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : [];
}

/** Reads the `<kind> <ticket>` entries that the scripts return for served tickets. */
export function readGrants(entries: readonly (string | number)[] = []): Grant[] {
  return entries.map((entry) => {
    const text = String(entry);
    const space = text.indexOf(' ');
    return { kind: text.slice(0, space) === 'hold' ? 'hold' : 'task', ticket: text.slice(space + 1) };
  });
}

/** Reads what `grow.lua` answered. */
export function readGrown([kind, json, ...rest]: readonly string[]): Grown {
  if (kind === 'lost') return { kind };
  const grants = readGrants(rest);
  if (kind === 'grown') return { kind, names: asList(JSON.parse(json ?? '[]')), grants };
  const { obstacle, blocker } = JSON.parse(json ?? '{}') as Details;
  return { kind: kind === 'waiting' || kind === 'yield' ? kind : 'refused', obstacle, blocker, grants };
}

/** Reads the answer of `overdue.lua`. */
export function readOverdue([nowMs, ...rest]: Reply): OverdueLeases {
  const leases = new Map<string, Lease>();
  for (let i = 0; i + 2 < rest.length; i += 3) {
    const untilMs = Number(rest[i + 2]);
    leases.set(String(rest[i]), { value: String(rest[i + 1]), untilMs: untilMs === 0 ? undefined : untilMs });
  }
  return { nowMs: Number(nowMs), leases };
}
