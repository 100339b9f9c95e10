/** Requests to the HTTP API, and what it answers when it refuses. */

const BASE = '/api/v1';
/** An answer that takes longer is not waited for: a page that hangs says nothing. */
const TIMEOUT_MS = 15_000;

/** A refusal, or no answer at all (`status` 0). */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly code: string;
  /** What to do now, in words. */
  readonly next: string;

  constructor(message: string, { status, code, next }: { status: number; code: string; next: string }) {
    super(message);
    this.status = status;
    this.code = code;
    this.next = next;
  }
}

/** Names and values after the `?`; what is undefined or empty is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** The address of something in the API. */
export function addressOf(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const search = new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return `${BASE}${path}${search === '' ? '' : `?${search}`}`;
}

/** Asks for JSON. Throws RequestError. */
export async function getJson<T>(address: string, signal?: AbortSignal): Promise<T> {
  return await ask(address, { headers: { accept: 'application/json' } }, { read: asJson<T>, signal });
}

/** Asks for text; undefined if there is none (404). Once it has begun to come it may take its time. Throws RequestError. */
export async function getText(address: string, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const read = async (response: Response): Promise<string> => await response.text();
    return await ask(address, { headers: { accept: 'text/plain' } }, { read, signal, isLong: true });
  } catch (error) {
    if (error instanceof RequestError && error.status === 404) return undefined;
    throw error;
  }
}

/** Asks for a change. Throws RequestError. */
export async function send<T>(method: 'POST' | 'PUT', path: string, body: unknown = {}): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  return await ask(addressOf(path), { method, headers, body: JSON.stringify(body) }, { read: asJson<T> });
}

async function asJson<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

interface Reading<T> {
  readonly read: (response: Response) => Promise<T>;
  readonly signal?: AbortSignal | undefined;
  /** Whether only its beginning is waited for so long, and not its end. */
  readonly isLong?: boolean;
}

async function ask<T>(address: string, init: RequestInit, { read, signal, isLong = false }: Reading<T>): Promise<T> {
  const tooLong = new AbortController();
  const timer = setTimeout(() => tooLong.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(address, {
      ...init,
      credentials: 'same-origin',
      signal: signal === undefined ? tooLong.signal : AbortSignal.any([signal, tooLong.signal]),
    });
    if (isLong) clearTimeout(timer);
    if (!response.ok) throw await refusalOf(response);
    return await read(response);
  } catch (error) {
    if (error instanceof RequestError || error instanceof SyntaxError) throw error;
    signal?.throwIfAborted();
    throw new RequestError('The dashboard does not answer.', {
      status: 0,
      code: tooLong.signal.aborted ? 'timeout' : 'unreachable',
      next: 'It is asked again by itself. If it stays away, see whether `signalbox dashboard` still runs.',
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Problem details (RFC 9457), as far as they are there. */
async function refusalOf(response: Response): Promise<RequestError> {
  const { status } = response;
  const body = (await response.json().catch(() => ({}))) as Partial<Record<string, unknown>>;
  const text = (field: string): string | undefined => (typeof body[field] === 'string' ? body[field] : undefined);
  const next = status === 401 ? 'Sign in again: reload this page.' : '';
  return new RequestError(text('detail') ?? text('title') ?? `The dashboard answered ${status}.`, {
    status,
    code: text('code') ?? String(status),
    next: text('next') ?? next,
  });
}
