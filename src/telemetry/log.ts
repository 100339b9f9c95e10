/** The log: JSON lines by pino on stderr, since stdout belongs to data. Secrets are redacted; events are one line each. */

import { type DestinationStream, destination, type Level, type Logger, pino, stdSerializers } from 'pino';
import { SignalboxError } from '../errors.ts';
import { EVENTS } from './catalogue.ts';
import type { Events } from './events.ts';

export type { Logger } from 'pino';

/** What a logger is made from. */
export interface LogOptions {
  readonly level: Level | 'silent';
  /** Whose log it is: `worker`, `dashboard`. */
  readonly name?: string;
  /** Where the lines go; default: stderr. */
  readonly stream?: DestinationStream;
}

const SECRET_FIELDS = ['token', 'readToken', 'password', 'authorization', 'cookie', 'signingKey', 'env', 'secrets'];
const REDACTED = '[redacted]';
const ADDRESS_WITH_PASSWORD = /(\w:\/\/)[^\s"/@]*:[^\s"]*?@/g;

/** A logger that leaves out what fields of secret names hold, up to two levels deep, and passwords in addresses. */
export function createLogger({ level, name, stream }: LogOptions): Logger {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
  return pino(
    {
      level,
      ...(name === undefined ? {} : { name }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError, error: describeError },
      hooks: { streamWrite: (line) => line.replace(ADDRESS_WITH_PASSWORD, `$1${REDACTED}@`) },
      redact: { paths, censor: REDACTED },
    },
    stream ?? destination({ fd: 2, sync: true }),
  );
}

/** Writes one line for each event, at the event's level. Gives the function that ends it. */
export function logEvents(events: Events, logger: Logger): () => void {
  return events.on('*', ({ type, at: _at, ...fields }) => {
    const { level } = EVENTS[type];
    logger[level]({ event: type, ...fields }, type);
  });
}

function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const facts = error instanceof SignalboxError ? { code: error.code, next: error.next, field: error.field } : {};
  return { ...stdSerializers.err(error), ...facts };
}
