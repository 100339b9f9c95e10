/**
 * Ids. A task's id carries its queue's incarnation (drawn anew whenever the queue's data begins from nothing) and the
 * task's sequence number in it, so that an id which Redis no longer knows can be told apart from one never given out.
 * They hold only `a-z0-9-`: no `:` and never a pure number, both of which BullMQ refuses, and they sort by submission.
 */

import { randomInt, randomUUID } from 'node:crypto';
import { ulid } from 'ulid';
import { SignalboxError } from '../errors.ts';

const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const SEQUENCE_LENGTH = 8;
const MAX_SEQUENCE = 36 ** SEQUENCE_LENGTH - 1;
const TASK_ID = /^t([0-9a-hjkmnp-tv-z]{6})-([0-9a-z]{8})-[0-9a-hjkmnp-tv-z]{6}$/;

/** What a task's id tells about itself. */
export interface TaskIdFacts {
  readonly incarnation: string;
  readonly sequence: number;
}

/** A new incarnation for a queue that begins from nothing: 6 characters. */
export function newIncarnation(): string {
  return randomText(6);
}

/** A new task id: `t<incarnation>-<sequence>-<random>`. Throws `INTERNAL` for an incarnation or number out of range. */
export function newTaskId(sequence: number, incarnation: string): string {
  const id = `t${incarnation}-${sequence.toString(36).padStart(SEQUENCE_LENGTH, '0')}-${randomText(6)}`;
  if (Number.isSafeInteger(sequence) && sequence >= 0 && sequence <= MAX_SEQUENCE && TASK_ID.test(id)) return id;
  throw new SignalboxError('INTERNAL', `cannot make a task id from ${incarnation} and ${sequence}`, {
    next: 'Please report this.',
  });
}

/** The facts in a task id; undefined when it was not made by `newTaskId`. */
export function parseTaskId(id: string): TaskIdFacts | undefined {
  const [, incarnation, sequence] = TASK_ID.exec(id) ?? [];
  if (incarnation === undefined || sequence === undefined) return undefined;
  return { incarnation, sequence: Number.parseInt(sequence, 36) };
}

/** A new id for one execution of a task: `r-` and 32 hexadecimal digits, drawn from Node's own pool of random bytes. */
export function newRunnerId(): string {
  return `r-${randomUUID().replaceAll('-', '')}`;
}

/** A new id for a worker process. */
export function newWorkerId(): string {
  return `w-${ulid().toLowerCase()}`;
}

function randomText(length: number): string {
  return Array.from({ length }, () => BASE32[randomInt(BASE32.length)]).join('');
}
