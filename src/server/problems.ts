/**
 * Errors as the HTTP API answers them: problem details (RFC 9457) with our code, the field and what to do next. One
 * table says which status each code gets; `docs/http-api.md` is held to it.
 */

import type { ErrorCode } from '../errors.ts';
import { SignalboxError } from '../errors.ts';
import { readForbidden, readFull } from '../redis/refusal.ts';

/** What can go wrong only over HTTP, with its status. */
const HTTP_STATUS = {
  /** A request that cannot be read as HTTP or JSON. */
  BAD_REQUEST: 400,
  /** A token is set and none, or a wrong one, was given. */
  UNAUTHORIZED: 401,
  /** The request came from a page of another origin, or names a host that is not this one. */
  CROSS_ORIGIN: 403,
  /** There is nothing at this address. */
  NO_SUCH_ADDRESS: 404,
  /** The body is larger than is taken. */
  TOO_LARGE: 413,
  /** The body is not JSON. */
  UNSUPPORTED_MEDIA_TYPE: 415,
  /** Too many wrong tokens came from this address. */
  TOO_MANY_ATTEMPTS: 429,
  /** What was asked for is on a machine that does not answer. */
  OUT_OF_REACH: 503,
  /** As many listen to events as this process bears. */
  TOO_MANY_LISTENERS: 503,
  /** `/readyz`: tasks are not being taken. */
  NOT_READY: 503,
} as const;

/** The status of each error code. */
const ERROR_STATUS: Readonly<Record<ErrorCode, number>> = {
  INVALID: 400,
  USAGE: 400,
  NOT_FOUND: 404,
  TASK_LOST: 410,
  STATE: 409,
  IDEMPOTENCY: 409,
  CONFLICT: 409,
  LEASE_LOST: 409,
  TASK_FAILED: 409,
  REDIS_UNREACHABLE: 503,
  REDIS_FULL: 503,
  FORBIDDEN: 403,
  REMOTE_UNREACHABLE: 502,
  GIT: 502,
  WORKSPACE: 500,
  UNSUPPORTED: 400,
  INTERNAL: 500,
};

/** A code that a problem can carry. */
export type ProblemCode = ErrorCode | keyof typeof HTTP_STATUS;

/** The status of every code. */
export const PROBLEM_STATUS: Readonly<Record<ProblemCode, number>> = { ...ERROR_STATUS, ...HTTP_STATUS };

/** What a problem says, as its members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly field?: string;
  readonly next: string;
}

/** The media type of problems. */
export const PROBLEM_TYPE = 'application/problem+json';

/** Thrown for what only HTTP knows. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: keyof typeof HTTP_STATUS;
  readonly next: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: keyof typeof HTTP_STATUS,
    message: string,
    { next, headers = {} }: { readonly next: string; readonly headers?: Readonly<Record<string, string>> },
  ) {
    super(message);
    this.code = code;
    this.next = next;
    this.headers = headers;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

/** The problem that an error is, whatever was thrown. What went wrong inside is not told, only that it did. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpProblem) return problem(error.code, error.message, { next: error.next });
  const known = error instanceof SignalboxError ? error : (readFull(error) ?? readForbidden(error));
  if (known !== undefined) return problem(known.code, known.message, known);
  const fastify = fromFastify(error);
  if (fastify !== undefined) return fastify;
  if (CONNECTION_LOST.test(messageOf(error))) {
    return problem('REDIS_UNREACHABLE', 'Redis does not answer.', {
      next: 'Try again in a moment; `signalbox doctor` tells what is wrong.',
    });
  }
  return problem('INTERNAL', 'Something failed that should not.', {
    next: 'Look into the log of the dashboard, and report what it says.',
  });
}

/** What ioredis says when Redis goes away in the middle of a command. */
const CONNECTION_LOST =
  /^Connection is closed|^Stream isn't writeable|^Reached the max retries per request|ECONNREFUSED|ECONNRESET|ETIMEDOUT|^Command timed out/;

const FASTIFY: Readonly<Record<string, readonly [keyof typeof HTTP_STATUS, string, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['TOO_LARGE', 'The body is too large.', 'Send fewer tasks at a time.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_MEDIA_TYPE',
    'The body must be JSON.',
    'Send it as JSON, with `Content-Type: application/json`.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['BAD_REQUEST', 'The body is empty and said to be JSON.', 'Send a JSON value.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['BAD_REQUEST', 'The body is not JSON.', 'Correct it and try again.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'The body has another length than is said.', 'Send it again.'],
};

function fromFastify(error: unknown): Problem | undefined {
  const { code, statusCode } = error as { readonly code?: string; readonly statusCode?: number };
  const [name, detail, next] = FASTIFY[code ?? ''] ?? [];
  if (name !== undefined && detail !== undefined && next !== undefined) return problem(name, detail, { next });
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return problem('BAD_REQUEST', `The request cannot be read: ${messageOf(error)}.`, {
    next: 'Correct it and try again.',
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function problem(
  code: ProblemCode,
  detail: string,
  { field, next }: { readonly field?: string | undefined; readonly next: string },
): Problem {
  const status = PROBLEM_STATUS[code];
  return {
    type: 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail,
    code,
    ...(field === undefined ? {} : { field }),
    next,
  };
}
