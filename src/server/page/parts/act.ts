/** What the page can do to tasks and the queue; each asks first. */

import { send } from '../api/request.ts';
import { go } from '../shell/go.ts';
import { taskPath } from '../shell/route.ts';
import { confirm } from './confirm.tsx';

interface Named {
  readonly id: string;
  readonly title: string;
  readonly state: string;
}

/** Asks, and cancels a task. */
export function cancelTask({ id, title, state }: Named): void {
  const what =
    state === 'running'
      ? 'Its runner is told to stop: its steps are ended and what they changed is not published.'
      : 'It leaves the line and will not run.';
  confirm({
    title: 'Cancel this task?',
    body: `“${title}” (${state}). ${what} A cancelled task stays in the list and can be retried as a new one.`,
    action: 'Cancel the task',
    isDanger: true,
    run: async () => {
      await send('POST', `/tasks/${encodeURIComponent(id)}/cancel`);
      return state === 'running' ? 'Its runner was told to stop.' : 'The task is cancelled.';
    },
  });
}

/** Asks, and runs an ended task again as a new one. */
export function retryTask({ id, title }: Pick<Named, 'id' | 'title'>): void {
  confirm({
    title: 'Run this task again?',
    body: `A new task with the same steps and claims as “${title}” is queued. This one stays as it is.`,
    action: 'Retry',
    run: async () => {
      const answer = await send<{ id?: string; tasks?: { id: string }[] }>(
        'POST',
        `/tasks/${encodeURIComponent(id)}/retry`,
      );
      const again = answer.tasks?.[0]?.id ?? answer.id;
      if (again !== undefined) go(taskPath(again));
      return 'Queued again as a new task.';
    },
  });
}

/** Asks, and stops or lets go on the whole queue. */
export function pauseOrResume(isPaused: boolean): void {
  confirm({
    title: isPaused ? 'Let the queue go on?' : 'Pause the queue?',
    body: isPaused
      ? 'Tasks are started again, in their order.'
      : 'No more tasks are started, in the whole fleet. What runs goes on, and what waits keeps its place.',
    action: isPaused ? 'Resume' : 'Pause',
    isDanger: !isPaused,
    run: async () => {
      await send('POST', isPaused ? '/resume' : '/pause');
      return isPaused ? 'The queue goes on.' : 'The queue is paused.';
    },
  });
}

/** Asks, and sets a limit, or takes it away with null. */
export function setLimit(name: string, value: number | null): void {
  confirm({
    title: value === null ? 'Take this limit away?' : 'Change this limit?',
    body:
      value === null ? `${name} is no longer limited. It takes effect at once.` : `${name} becomes ${value}, at once.`,
    action: value === null ? 'Take it away' : `Set to ${value}`,
    isDanger: value === 0,
    run: async () => {
      await send('PUT', '/limits', { [name]: value });
      return value === null ? `${name} is not limited any more.` : `${name} is ${value} now.`;
    },
  });
}
