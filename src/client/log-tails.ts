/** The bounded ends of a task's output that its record holds, for those who cannot reach its log. */

import type { TaskRecord } from '../queue/record.ts';

/** The ends of the newest run's steps, one after the other. It only grows while the run goes on. */
export function tailsOf({ phases }: Pick<TaskRecord, 'phases'>): string {
  return phases
    .flatMap(({ steps }) => steps)
    .map(({ outputTail }) => (outputTail === '' || outputTail.endsWith('\n') ? outputTail : `${outputTail}\n`))
    .join('');
}
