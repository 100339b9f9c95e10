/** Claims the files of a hook's call: for the run that it is part of, else for the agent's session. */

import { setTimeout as delay } from 'node:timers/promises';
import {
  holderFolder,
  holderSocket,
  removeFolder,
  sessionFolder,
  takeFolder,
} from '../../client/session-holder/folder.ts';
import { startHolder } from '../../client/session-holder/start.ts';
import type { Config } from '../../config/config.ts';
import type { Options } from '../../config/options.ts';
import { SignalboxError } from '../../errors.ts';
import { identityOf } from '../../git/process-identity.ts';
import { askForMore, type Claimed } from '../claim/ask.ts';
import type { CheckoutFiles } from './files.ts';

/** For whom it is claimed, and how its holder is started. */
export interface SessionRequest {
  readonly session: string;
  readonly config: Pick<Config, 'queue' | 'redisUrl'>;
  readonly flags: Options;
  readonly sources: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string };
  readonly agentPid: number | undefined;
  readonly idleMs: number;
}

/** A holder that another hook has just begun to start is waited for this long. */
const STARTING_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** Resolves when the session holds them. Throws CONFLICT naming who has one; what else it throws says nothing of that. */
export async function claimForSession(request: SessionRequest, { checkout, paths }: CheckoutFiles): Promise<Claimed> {
  const { session, config } = request;
  const own = await sessionFolder({ session, queue: config.queue, redisUrl: config.redisUrl });
  const folder = holderFolder(own, checkout);
  for (const giveUpAt = performance.now() + STARTING_MS; ; ) {
    if (await takeFolder(folder, own)) {
      await start(request, folder, checkout);
      return await askForMore(holderSocket(folder), { write: paths, read: [] });
    }
    try {
      return await askForMore(holderSocket(folder), { write: paths, read: [] });
    } catch (error) {
      const why = notThere(error);
      if (why === undefined) throw error;
      // Refused: it died. Not there: it is being started, or died before it was.
      if (why === 'refused' || performance.now() > giveUpAt) await removeFolder(folder);
      else await delay(LOOK_EVERY_MS);
    }
  }
}

/** Ends the holders of a session; they give all of it back. */
export async function releaseSession({ session, config }: Pick<SessionRequest, 'session' | 'config'>): Promise<void> {
  await removeFolder(await sessionFolder({ session, queue: config.queue, redisUrl: config.redisUrl }));
}

async function start(request: SessionRequest, folder: string, checkout: string): Promise<void> {
  const { session, flags, sources, agentPid, idleMs } = request;
  const agent = agentPid === undefined ? undefined : await identityOf(agentPid);
  const label = `session ${session.slice(0, 40).replace(/[^\w.-]/g, '_')}`;
  try {
    await startHolder({ folder, checkout, label, agent, idleMs, flags }, sources);
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

function notThere(error: unknown): 'refused' | 'absent' | undefined {
  if (!(error instanceof SignalboxError)) return undefined;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'refused';
  return code === 'ENOENT' ? 'absent' : undefined;
}
