/**
 * The changes that the dashboard tells of as they happen, and whether it does.
 *
 * A browser connects again by itself after a lost connection, but not after a refusal; then it is done here, more and
 * more slowly. While nobody tells of changes, views ask by their own clocks.
 */

import { signal } from '@preact/signals';
import { addressOf } from './request.ts';
import type { StateChange } from './shapes.ts';

/** `connecting` until the first connection; `lost` is a connection that was there. */
export type Connection = 'connecting' | 'live' | 'lost';

/** How the connection is. */
export const connection = signal<Connection>('connecting');
/** When it was last known to be there; ms since the epoch. */
export const lastLiveAt = signal(Date.now());

type Listener = (change: StateChange | 'all') => void;

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

const listeners = new Set<Listener>();
let source: EventSource | undefined;
let retryMs = FIRST_RETRY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Calls `listener` at each change, and with `all` when some may have been missed. Answers how to end it. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Begins to listen; again after `lost`, at once. */
export function connect(): void {
  clearTimeout(timer);
  source?.close();
  source = new EventSource(addressOf('/events'));
  source.addEventListener('open', opened);
  source.addEventListener('error', failed);
  source.addEventListener('state', (event) => tell(JSON.parse(event.data as string) as StateChange));
  source.addEventListener('reconnected', () => tell('all'));
}

/** Asks everything again. */
export function refresh(): void {
  tell('all');
}

function opened(): void {
  const isBack = connection.value === 'lost';
  retryMs = FIRST_RETRY_MS;
  connection.value = 'live';
  lastLiveAt.value = Date.now();
  if (isBack) tell('all');
}

function failed(): void {
  if (connection.value === 'live') {
    lastLiveAt.value = Date.now();
    connection.value = 'lost';
  }
  if (source?.readyState !== EventSource.CLOSED) return;
  clearTimeout(timer);
  timer = setTimeout(connect, retryMs);
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
}

function tell(change: StateChange | 'all'): void {
  for (const listener of listeners) listener(change);
}
