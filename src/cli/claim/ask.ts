/** Asks the run that a step belongs to for more claims, over the run's socket. See `src/runner/run-socket.ts`. */

import { request } from 'node:http';
import { ERROR_CODES, type ErrorCode, SignalboxError } from '../../errors.ts';

/** Paths to claim. */
export interface More {
  readonly write: readonly string[];
  readonly read: readonly string[];
}

/** What is answered once they are held. */
export interface Claimed {
  readonly claimed: More;
  /** From the holder of a session: its lease was lost, and what it had was claimed again. */
  readonly wasLost?: boolean;
}

/** Resolves when they are held. Throws what the run answers, and STATE if it stops before it answers. */
export async function askForMore(socketPath: string, more: More): Promise<Claimed> {
  const { status, body } = await post(socketPath, JSON.stringify(more)).catch((error: unknown) => {
    throw gone(error);
  });
  if (status !== 200) throw refusedBy(body);
  return JSON.parse(body) as Claimed;
}

async function post(socketPath: string, body: string): Promise<{ status: number | undefined; body: string }> {
  return await new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const asked = request({ socketPath, path: '/claim', method: 'POST', headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts).toString('utf8') }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

function gone(cause: unknown): SignalboxError {
  return new SignalboxError('STATE', 'The run that this step belongs to does not answer: it is being stopped.', {
    next: 'End the step; if the task runs again, that run claims this from the start.',
    cause,
  });
}

function refusedBy(body: string): SignalboxError {
  const { code, message, next, field } = errorIn(body);
  const known = Object.keys(ERROR_CODES).find((name): name is ErrorCode => name === code);
  return new SignalboxError(known ?? 'STATE', message ?? 'The run refused the claim.', {
    next: next ?? 'Look at the log of the worker that runs this task.',
    ...(field === undefined ? {} : { field }),
  });
}

function errorIn(body: string): { readonly [fact in 'code' | 'message' | 'next' | 'field']?: string } {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown };
    return typeof error === 'object' && error !== null ? error : {};
  } catch {
    return {};
  }
}
