/**
 * Signatures of tasks. With a key that submitters and workers share, whoever can only write to Redis cannot choose what
 * a worker runs, for which repository and branch, and for whom: all of that is signed with the task's id and its
 * queue's name, so that a task can be neither altered nor copied. What runs write down later is not signed: it can make
 * a task wait, end or start again, which whoever can write to Redis can do anyway.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { SignalboxError } from '../errors.ts';
import { parseEnvelope } from '../task/stored.ts';
import { type RecordFields, readRecord, type TaskRecord } from './record.ts';

/** Of the record, all that a submission says. `base` follows from the envelope, see `checkBase`. */
const SIGNED = [
  'id',
  'envelope',
  'title',
  'repo',
  'repoKey',
  'repoHost',
  'branch',
  'owner',
  'spec',
  'priority',
  'maxAttempts',
  'retryOf',
] as const satisfies readonly (keyof TaskRecord)[];

const NEXT = 'Submit it again with the SIGNALBOX_SIGNING_KEY that the workers have.';

/** Signs the tasks of one queue and tells whether they are as they were submitted. */
export class Signer {
  readonly #key: string;
  readonly #queue: string;

  constructor(key: string, queue: string) {
    this.#key = key;
    this.#queue = queue;
  }

  /** The signature of a new task, from the fields with which it is stored. */
  sign(id: string, fields: RecordFields): string {
    const given = Object.entries(fields).filter(([, value]) => value !== null);
    // Read as workers will, so that both sides mean the same.
    return this.#signatureOf(readRecord(id, Object.fromEntries(given.map(([name, value]) => [name, String(value)]))));
  }

  /** Throws `INVALID` for a task that is not as somebody with the key submitted it. */
  check(record: TaskRecord): void {
    if (record.signature === null) throw refused('is not signed, and only signed ones are taken here');
    const right = Buffer.from(this.#signatureOf(record));
    const given = Buffer.from(record.signature);
    if (given.length !== right.length || !timingSafeEqual(given, right))
      throw refused('has a wrong signature: it was changed or copied in Redis, or signed with another key');
    checkBase(record);
  }

  #signatureOf(record: TaskRecord): string {
    const said = SIGNED.map((field) => record[field]);
    return createHmac('sha256', this.#key)
      .update(JSON.stringify(['signalbox task', this.#queue, said]))
      .digest('hex');
  }
}

/**
 * A base is stored as it was written, but for one that names a task: only the script that accepts the list knows which
 * id stands for an idempotency key. Throws `INVALID`.
 */
function checkBase({ base, envelope }: TaskRecord): void {
  const written = parseEnvelope(envelope).base ?? null;
  if (base !== written && !(isTask(base) && isTask(written)))
    throw refused('has another base than the one that was signed');
}

/** Throws `INVALID` if `below` is not the task that `record` was signed to build upon. Both are checked already. */
export function checkBuildsUpon(record: TaskRecord, below: TaskRecord): void {
  const name = parseEnvelope(record.envelope).base?.slice('task:'.length);
  if (name === below.id || name === parseEnvelope(below.envelope).idempotencyKey) return;
  throw refused(`was signed to build upon ${JSON.stringify(name)}, and ${below.id} is another task`);
}

function isTask(base: string | null): boolean {
  return base?.startsWith('task:') === true;
}

function refused(why: string): SignalboxError {
  return new SignalboxError('INVALID', `the task ${why}`, { next: NEXT });
}
