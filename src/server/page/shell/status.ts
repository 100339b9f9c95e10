/** The state of the whole queue, which the header and several views share. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { addressOf, getJson } from '../api/request.ts';
import type { Status } from '../api/shapes.ts';
import { type Loaded, useLoad } from '../api/use-load.ts';

/** As it was last loaded. */
export const status = signal<Loaded<Status>>({ data: undefined, error: undefined, reload: () => undefined });

/** Keeps it fresh; for the page itself, once. */
export function useStatus(): Loaded<Status> {
  const loaded = useLoad('status', async (asked) => await getJson<Status>(addressOf('/status'), asked), {
    everyMs: 2_500,
  });
  const { data, error } = loaded;
  useEffect(() => {
    status.value = loaded;
  }, [data, error]);
  return loaded;
}
