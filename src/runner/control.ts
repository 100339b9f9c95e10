/** What a worker hears while it runs: messages to all workers, on the channels of its queue. */

import { z } from 'zod';
import { readMessage } from '../redis/messages.ts';
import { subscribe } from '../redis/subscribe.ts';
import { answerFile, fileQuestion } from './file-requests.ts';
import type { Services } from './services.ts';

const controlMessage = z.object({
  cancel: z.string().optional(),
  code: z.enum(['cancelled', 'superseded']).default('cancelled'),
  preempt: z.string().optional(),
  drain: z.array(z.string()).optional(),
  file: fileQuestion.optional(),
});

/**
 * Hears what concerns all workers: cancels and preemptions of what they run, that something was given back, questions
 * for files that are on this machine, and that this worker shall `leave`.
 */
export async function listen(services: Services, leave: () => void): Promise<() => void> {
  const { queue, runs } = services;
  const [control, wake] = [queue.keys.channel('control'), queue.keys.channel('wake')];
  const onMessage = (channel: string, message: string): void => {
    if (channel === wake) {
      for (const run of runs.values()) if (run.runnerId === message) run.onWake?.();
      return;
    }
    const said = readMessage(controlMessage, message);
    if (said !== undefined) heed(said, services, leave);
  };
  return await subscribe(queue.redis, [control, wake], { onMessage });
}

function heed(
  { cancel, code, preempt, drain, file }: z.output<typeof controlMessage>,
  { queue, runs, workerId, host, config: { dataDir } }: Services,
  leave: () => void,
): void {
  if (drain?.includes(workerId) === true) leave();
  if (cancel !== undefined) runs.get(cancel)?.cancel(code);
  if (file?.host === host) void answerFile(file, { redis: queue.redis, keys: queue.keys, dataDir, workerId });
  const victim = runs.get(preempt ?? '');
  if (victim?.task.preemptible === 'anytime') victim.stop('preempted');
}
