/** Starts the holder of a session as a process of its own, which outlives the one that asked for it. */

import { once } from 'node:events';
import { ERROR_CODES, type ErrorCode, SignalboxError } from '../../errors.ts';
import { endOf, startOwnProgram } from '../../own-program.ts';
import type { HolderOrder } from './program.ts';

/** What the holder tells its parent. */
export type HolderNews = { readonly ready: true } | { readonly error: ReturnType<SignalboxError['toJSON']> };

/** Starts it and waits until it can be asked. Throws what it throws when it cannot connect, and INTERNAL. */
export async function startHolder(
  order: HolderOrder,
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): Promise<void> {
  const child = startOwnProgram({ name: 'session-holder', env, cwd });
  // By a message, since it may hold a password, and arguments are seen by everybody.
  child.send(order, () => {});
  const ended = endOf(child).then(() => undefined);
  const news = await Promise.race([once(child, 'message').then(([first]) => first as HolderNews), ended]);
  if (child.connected) child.disconnect();
  child.unref();
  if (news !== undefined && 'ready' in news) return;
  throw news === undefined ? notStarted() : asError(news.error);
}

function asError({ code, message, next, field }: ReturnType<SignalboxError['toJSON']>): SignalboxError {
  const known: ErrorCode = code in ERROR_CODES ? code : 'INTERNAL';
  return new SignalboxError(known, message, { next, ...(field === undefined ? {} : { field }) });
}

function notStarted(): SignalboxError {
  return new SignalboxError('INTERNAL', 'The process that holds the claims of the session could not be started.', {
    next: 'Try again; if it stays so, look whether this machine is out of memory or processes.',
  });
}
