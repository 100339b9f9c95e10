/** The state of a queue as Prometheus reads it. */

import { readStatus } from '../client/views.ts';
import type { TaskQueue } from '../queue/task-queue.ts';

/** The media type of the text. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** All metrics as text. */
export async function metricsText(queue: TaskQueue): Promise<string> {
  const { queued, scheduled, blocked, running } = await readStatus(queue);
  const states = Object.entries({ queued, scheduled, blocked, running });
  return [
    '# HELP signalbox_tasks Tasks by state.',
    '# TYPE signalbox_tasks gauge',
    ...states.map(([state, count]) => `signalbox_tasks{state="${state}"} ${count}`),
    '',
  ].join('\n');
}
