/**
 * The changes that the dashboard tells of as they happen, and whether it does. While nobody tells of changes, views ask
 * by their own clocks.
 */

import { signal } from '@preact/signals';
import { addressOf } from './request.ts';
import type { StateChange } from './shapes.ts';
import { Stream } from './stream.ts';

/** `connecting` until the first connection; `lost` is a connection that was there. */
export type Connection = 'connecting' | 'live' | 'lost';

/** How the connection is. */
export const connection = signal<Connection>('connecting');
/** When it was last known to be there; ms since the epoch. */
export const lastLiveAt = signal(Date.now());

type Listener = (change: StateChange | 'all') => void;

const listeners = new Set<Listener>();
let stream: Stream | undefined;

/** Calls `listener` at each change, and with `all` when some may have been missed. Answers how to end it. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Begins to listen; again after `lost`, at once. */
export function connect(): void {
  if (stream === undefined) stream = new Stream(addressOf('/events'), document, listen);
  else stream.connect();
}

/** Asks everything again. */
export function refresh(): void {
  tell('all');
}

function listen(source: EventSource): void {
  source.addEventListener('open', opened);
  source.addEventListener('error', failed);
  source.addEventListener('state', (event) => tell(JSON.parse(event.data as string) as StateChange));
  source.addEventListener('reconnected', () => tell('all'));
}

function opened(): void {
  // Whatever happened since the last connection was not told, also while nobody saw the page.
  const isBack = connection.value !== 'connecting';
  connection.value = 'live';
  lastLiveAt.value = Date.now();
  if (isBack) tell('all');
}

function failed(): void {
  if (connection.value !== 'live') return;
  lastLiveAt.value = Date.now();
  connection.value = 'lost';
}

function tell(change: StateChange | 'all'): void {
  for (const listener of listeners) listener(change);
}
