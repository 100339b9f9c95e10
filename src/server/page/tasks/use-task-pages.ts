/** The pages of the list that are on the screen. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { addressOf, getJson, RequestError } from '../api/request.ts';
import type { ListedTask, TaskPage } from '../api/shapes.ts';
import { type Loaded, useLoad } from '../api/use-load.ts';
import { tell } from '../parts/notice.tsx';
import { joined } from './pages.ts';
import type { TaskQuery } from './task-list.tsx';

/** The tasks so far, and how to have more. */
export interface TaskPages extends Loaded<TaskPage> {
  readonly more: () => Promise<void>;
  readonly isMore: boolean;
}

const PAGE = 50;

/** Keeps the newest page fresh, and adds older ones as asked. */
export function useTaskPages({ q = '', state = '', owner = '', repo = '' }: TaskQuery): TaskPages {
  const filter = { q, state, owner, repo };
  const key = JSON.stringify(filter);
  const [older, setOlder] = useState<{ key: string; tasks: readonly ListedTask[]; next: string | null }>();
  const [isMore, setMore] = useState(false);
  const current = useRef(key);
  current.current = key;
  const first = useLoad(
    key,
    async (signal) => await getJson<TaskPage>(addressOf('/tasks', { ...filter, limit: PAGE }), signal),
  );
  useEffect(() => setOlder(undefined), [key]);
  const mine = older?.key === key ? older : undefined;
  const next = mine === undefined ? (first.data?.next ?? null) : mine.next;

  const more = async (): Promise<void> => {
    if (next === null || isMore) return;
    setMore(true);
    try {
      const page = await getJson<TaskPage>(addressOf('/tasks', { ...filter, limit: PAGE, cursor: next }));
      if (current.current !== key) return;
      const before = mine?.tasks ?? first.data?.tasks ?? [];
      setOlder({ key, tasks: joined(before, page.tasks), next: page.next });
    } catch (error) {
      if (error instanceof RequestError) tell(`${error.message} ${error.next}`, { isError: true });
    } finally {
      setMore(false);
    }
  };
  const data = first.data === undefined ? undefined : { tasks: joined(first.data.tasks, mine?.tasks ?? []), next };
  return { ...first, data, more, isMore };
}
