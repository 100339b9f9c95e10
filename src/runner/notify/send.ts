/** One attempt to deliver a message, by HTTP. */

import type { Attempt, Message } from '../../queue/messages.ts';
import type { Receiver } from './receivers.ts';
import { webhookHeaders } from './sign.ts';

/** A receiver that takes longer hangs; it is asked again later. */
const TIMEOUT_MS = 10_000;
/** The receiver says that it is gone for good. */
const GONE = 410;

/** Sends it; a 2xx is a yes. Redirects are not followed: only the address that the operator gave is ever called. */
export async function post(
  { id, body }: Message,
  { url, secret }: Receiver,
  { signal, timeoutMs = TIMEOUT_MS }: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<Attempt> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'signalbox',
        ...webhookHeaders({ id, atMs: Date.now(), body }, secret),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    // What it says is nobody's business and may have no end.
    await response.body?.cancel();
    if (response.ok) return { kind: 'delivered' };
    return { kind: response.status === GONE ? 'refused' : 'failed', reason: `it answered ${response.status}` };
  } catch (error) {
    return { kind: 'failed', reason: whyNot(error, timeoutMs) };
  }
}

/** Without the address, of which fetch's errors may speak. */
function whyNot(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'it could not be asked';
  if (error.name === 'TimeoutError') return `it did not answer within ${timeoutMs} ms`;
  if (error.name === 'AbortError') return 'its worker was stopped';
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? `it could not be reached (${code})` : 'it could not be reached';
}
