/** The state of the whole queue, which the header and several views share. */

import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { connection, lastLiveAt } from '../api/live.ts';
import { addressOf, getJson } from '../api/request.ts';
import type { Status } from '../api/shapes.ts';
import { type Loaded, useLoad } from '../api/use-load.ts';

/** As it was last loaded. */
export const status = signal<Loaded<Status>>({ data: undefined, error: undefined, reload: () => undefined });

/** Whether the dashboard is away: its events ended, or it answers nothing although nobody has closed them. */
export const isAway = computed(() => connection.value === 'lost' || status.value.error?.status === 0);

/** Keeps it fresh; for the page itself, once. */
export function useStatus(): Loaded<Status> {
  const loaded = useLoad('status', async (asked) => await getJson<Status>(addressOf('/status'), asked), {
    everyMs: 2_500,
  });
  const { data, error } = loaded;
  useEffect(() => {
    status.value = loaded;
    if (error === undefined) lastLiveAt.value = Date.now();
  }, [data, error]);
  return loaded;
}
