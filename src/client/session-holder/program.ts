/**
 * The holder's life, in the process that `start.ts` makes: it holds a session's claims on one checkout and takes more
 * when it is asked over its socket, which speaks as that of a run does.
 *
 * It ends, and gives all of it back, when its folder is taken away (the session ended), when the agent's process is
 * gone, and when it was not asked for long. If it is killed itself, its lease lapses.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Options } from '../../config/options.ts';
import { SignalboxError } from '../../errors.ts';
import { liveness, type ProcessIdentity } from '../../git/process-identity.ts';
import { openRunSocket } from '../../runner/run-socket.ts';
import { Signalbox } from '../signalbox.ts';
import { folderMark, removeFolder } from './folder.ts';

/** What a holder is told when it is started. */
export interface HolderOrder {
  /** Its folder, made already. */
  readonly folder: string;
  /** The checkout. */
  readonly checkout: string;
  /** Who is listed as holding. */
  readonly label: string;
  /** The process whose end ends the session, if it is known. */
  readonly agent: ProcessIdentity | undefined;
  readonly idleMs: number;
  /** Options from the command line. */
  readonly flags: Options;
}

/** How often it looks whether it is still wanted. */
const LOOK_EVERY_MS = 250;

/** Holds until the session has ended; `onReady` is called when it can be asked. Throws what connecting throws. */
export async function holdForSession(order: HolderOrder, onReady: () => void): Promise<void> {
  const { folder } = order;
  const mark = await folderMark(folder);
  const isThere = async (): Promise<boolean> => mark !== undefined && (await folderMark(folder)) === mark;
  await holdWhile(isThere, order, onReady);
  // Not before all is given back: the session's next holder would meet this one. If left, that one would be awaited.
  if (await isThere()) await removeFolder(folder);
}

async function holdWhile(isThere: () => Promise<boolean>, order: HolderOrder, onReady: () => void): Promise<void> {
  const { folder, checkout, label, agent, idleMs, flags } = order;
  await using box = await Signalbox.connect(flags);
  await using session = box.session(label);
  let askedAt = performance.now();
  let asking = 0;
  const socket = await openRunSocket(folder, async (more) => {
    asking++;
    try {
      const { wasLost } = await session.claim({ repo: checkout, ...more });
      return wasLost ? { wasLost } : undefined;
    } catch (error) {
      throw readable(error);
    } finally {
      asking--;
      askedAt = performance.now();
    }
  });
  onReady();
  const isWanted = async (): Promise<boolean> => {
    if (asking === 0 && performance.now() - askedAt > idleMs) return false;
    if (agent !== undefined && (await liveness(agent)) === 'dead') return false;
    return await isThere();
  };
  while (await isWanted()) await delay(LOOK_EVERY_MS);
  await socket.close();
}

function readable(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SignalboxError('REDIS_UNREACHABLE', `The connection to Redis was lost: ${message}`, {
    next: 'See whether Redis runs (`signalbox doctor`), then try again.',
    cause: error,
  });
}
