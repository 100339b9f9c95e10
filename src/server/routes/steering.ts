/** What changes something about tasks that are there, and about the queue. */

import { parseTasks } from '../../task/schema.ts';
import { checkLimitName, readLimit } from '../../waiting/limits.ts';
import { accepted, cancelled, limits, paused, plan } from '../contract/answers.ts';
import { limitsBody, readLimitsBody, taskBody, taskParams } from '../contract/asked.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import type { ServerParts } from '../parts.ts';
import { refuseRelativeOnes, SUBMIT_BYTES } from './tasks.ts';

/** The endpoints that steer. */
export function steeringEndpoints(parts: ServerParts): Endpoint[] {
  return [cancel(parts), retry(parts), putLimits(parts), pause(parts, true), pause(parts, false), planned(parts)];
}

function cancel({ box }: ServerParts): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/tasks/{id}/cancel',
    name: 'cancelTask',
    role: 'write',
    tag: 'tasks',
    summary: 'Cancels a task: at once if it waits (`cancelled`), else its runner is asked to stop (`requested`).',
    params: taskParams,
    answer: { json: cancelled },
    problems: ['NOT_FOUND', 'TASK_LOST', 'STATE'],
    handle: async ({ params: { id } }) => ({ tasks: [{ id, result: await box.cancel(id) }] }),
  });
}

function retry({ box }: ServerParts): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/tasks/{id}/retry',
    name: 'retryTask',
    role: 'write',
    tag: 'tasks',
    summary: 'Runs a task that has ended again, as a new one without its idempotency key and its dependencies.',
    params: taskParams,
    answer: { json: accepted },
    problems: ['NOT_FOUND', 'TASK_LOST', 'STATE'],
    handle: async ({ params: { id } }) => ({ tasks: [await box.retry(id)] }),
  });
}

function putLimits({ box }: ServerParts): Endpoint {
  return endpoint({
    method: 'PUT',
    path: '/limits',
    name: 'setLimits',
    role: 'write',
    tag: 'queue',
    summary: 'Sets the limits that are named; null takes one away. Those that are not named stay. Answers all.',
    body: { schema: limitsBody, read: readLimitsBody },
    answer: { json: limits },
    problems: ['STATE'],
    handle: async ({ body }) => {
      const wanted = Object.entries(body);
      // All are looked at before the first is set.
      for (const [name, value] of wanted) {
        checkLimitName(name);
        if (value !== null) readLimit(name, value);
      }
      for (const [name, value] of wanted) await box.setLimit(name, value);
      return { limits: await box.limits() };
    },
  });
}

function pause({ box }: ServerParts, isPause: boolean): Endpoint {
  return endpoint({
    method: 'POST',
    path: isPause ? '/pause' : '/resume',
    name: isPause ? 'pauseQueue' : 'resumeQueue',
    role: 'write',
    tag: 'queue',
    summary: isPause
      ? 'Starts no more tasks until `resume`; what runs goes on, what waits keeps its place.'
      : 'Goes on after `pause`.',
    answer: { json: paused },
    handle: async () => ({ paused: isPause, changed: isPause ? await box.pause() : await box.resume() }),
  });
}

function planned({ box }: ServerParts): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/plan',
    name: 'planTasks',
    role: 'read',
    tag: 'queue',
    summary: 'A dry run: what would run beside what, what would wait for what, and how long all would take.',
    body: { schema: taskBody, read: (given) => parseTasks(given, box.config.presets), limit: SUBMIT_BYTES },
    answer: { json: plan },
    problems: ['TOO_LARGE'],
    handle: async ({ body }) => {
      refuseRelativeOnes(body);
      return await box.planTasks(body);
    },
  });
}
