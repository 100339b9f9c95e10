/** What a worker hears while it runs: messages to all workers, on the channels of its queue. */

import { z } from 'zod';
import { subscriberOf } from '../redis/connect.ts';
import { readMessage } from '../redis/messages.ts';
import type { Services } from './services.ts';

const controlMessage = z.object({
  cancel: z.string().optional(),
  code: z.enum(['cancelled', 'superseded']).default('cancelled'),
  preempt: z.string().optional(),
  drain: z.array(z.string()).optional(),
});

/**
 * Hears what concerns all workers: cancels and preemptions of what they run, that something was given back, and that
 * this worker shall `leave`.
 */
export async function listen({ queue, runs, workerId }: Services, leave: () => void): Promise<() => Promise<void>> {
  const subscriber = subscriberOf(queue.redis);
  subscriber.on('message', (channel, message: string) => {
    if (channel === queue.keys.channel('wake')) {
      for (const run of runs.values()) if (run.runnerId === message) run.onWake?.();
      return;
    }
    const { cancel, code = 'cancelled', preempt, drain = [] } = readMessage(controlMessage, message) ?? {};
    if (drain.includes(workerId)) leave();
    if (cancel !== undefined) runs.get(cancel)?.cancel(code);
    const victim = preempt === undefined ? undefined : runs.get(preempt);
    if (victim?.task.preemptible === 'anytime') victim.stop('preempted');
  });
  await subscriber.subscribe(queue.keys.channel('control'), queue.keys.channel('wake'));
  return async () => subscriber.disconnect();
}
