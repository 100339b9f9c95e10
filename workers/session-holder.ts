/** The holder of one session's claims, which `signalbox hook` starts (see src/client/session-holder/). */
import { type HolderOrder, holdForSession } from '../src/client/session-holder/program.ts';
import type { HolderNews } from '../src/client/session-holder/start.ts';
import { SignalboxError } from '../src/errors.ts';

const tell = (news: HolderNews): void => {
  if (process.connected) process.send?.(news);
};

const order = await new Promise<HolderOrder>((resolve) => {
  process.once('message', (message) => resolve(message as HolderOrder));
  process.once('disconnect', () => process.exit());
});
process.removeAllListeners('disconnect');
try {
  await holdForSession(order, () => tell({ ready: true }));
} catch (error) {
  const told =
    error instanceof SignalboxError
      ? error
      : new SignalboxError('INTERNAL', String(error), { next: 'Run `signalbox doctor`.' });
  tell({ error: told.toJSON() });
}
process.exit();
