/** The titles of what runs. */

import type { Signalbox } from '../../client/signalbox.ts';
import type { Status } from '../../client/views.ts';

/** The titles of the tasks that these runners run, by id. */
export async function titlesOf(box: Signalbox, runners: Status['runners']): Promise<Map<string, string>> {
  const records = await box.queue.store.getMany(runners.flatMap(({ taskId }) => taskId ?? []));
  return new Map(records.map(({ id, title }) => [id, title]));
}
