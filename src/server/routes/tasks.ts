/** Tasks: listed, submitted, shown, explained. */

import { explainMany } from '../../client/explain.ts';
import { SignalboxError } from '../../errors.ts';
import { MAX_TASK_BYTES } from '../../task/plain-data.ts';
import { parseTasks } from '../../task/schema.ts';
import type { Task } from '../../task/task.ts';
import { accepted, explanation, taskPage, taskView } from '../contract/answers.ts';
import { listQuery, taskBody, taskParams } from '../contract/asked.ts';
import { type Endpoint, endpoint, Serialized } from '../http/endpoint.ts';
import type { ServerParts } from '../parts.ts';
import { readPastDurations } from '../past-durations.ts';
import { ListMemory, readTaskPage } from '../task-list.ts';
import { identityIfHere, refuseRelative } from './repositories.ts';

const PAGE = 50;
const KEY = /^[\x21-\x7e]{1,180}$/;

/** A list of small tasks, or one large one. */
export const SUBMIT_BYTES = MAX_TASK_BYTES;

/** The endpoints of tasks. */
export function taskEndpoints(parts: ServerParts): Endpoint[] {
  return [list(parts), submit(parts), show(parts), explain(parts)];
}

function list({ box, queue, reads }: ServerParts): Endpoint {
  const memory = new ListMemory(reads);
  return endpoint({
    method: 'GET',
    path: '/tasks',
    name: 'listTasks',
    role: 'read',
    tag: 'tasks',
    summary: 'The tasks that are kept, newest first, in pages.',
    query: listQuery,
    answer: { json: taskPage },
    handle: async ({ query: { repo, limit = PAGE, ...same } }) =>
      await reads.share(`list ${JSON.stringify([repo, limit, same])}`, async () => {
        const named = repo === undefined ? {} : { repo: { key: await identityIfHere(box, repo), given: repo } };
        return Serialized.of(await readTaskPage(queue, { ...same, ...named, limit }, memory));
      }),
  });
}

function submit({ box }: ServerParts): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/tasks',
    name: 'submitTasks',
    role: 'write',
    tag: 'tasks',
    summary: 'Queues one task or a list, all or none.',
    headers: {
      'Idempotency-Key':
        'The same key and body is the same task. For a list, each task that has no `idempotencyKey` of its own gets the key with its place.',
    },
    body: { schema: taskBody, read: parseTasks, limit: SUBMIT_BYTES },
    answer: { json: accepted },
    problems: ['IDEMPOTENCY', 'TOO_LARGE', 'REDIS_FULL'],
    handle: async ({ body, request }) => {
      const tasks = withKey(body, request.headers['idempotency-key']);
      refuseRelativeOnes(tasks);
      return { tasks: await box.submitTasks(tasks) };
    },
  });
}

/** Throws INVALID for a task whose repository is a relative path. */
export function refuseRelativeOnes(tasks: readonly Task[]): void {
  for (const [i, { repo }] of tasks.entries()) refuseRelative(repo, tasks.length === 1 ? 'repo' : `[${i}].repo`);
}

function withKey(tasks: readonly Task[], key: string | string[] | undefined): readonly Task[] {
  if (key === undefined) return tasks;
  const [only] = tasks;
  if (typeof key !== 'string' || !KEY.test(key)) throw badKey('must be 1 to 180 characters without spaces');
  if (tasks.length > 1 || only === undefined)
    return tasks.map((task, i) => ({ idempotencyKey: `${key}[${i}]`, ...task }));
  if (only.idempotencyKey !== undefined && only.idempotencyKey !== key)
    throw badKey('must be the `idempotencyKey` of the task, which has one');
  return [{ ...only, idempotencyKey: key }];
}

function badKey(clause: string): SignalboxError {
  return new SignalboxError('INVALID', `\`Idempotency-Key\` ${clause}`, {
    field: 'Idempotency-Key',
    next: 'Correct the header, or leave it out.',
  });
}

function show({ box }: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/tasks/{id}',
    name: 'showTask',
    role: 'read',
    tag: 'tasks',
    summary: 'All that is known about a task.',
    params: taskParams,
    answer: { json: taskView },
    problems: ['NOT_FOUND', 'TASK_LOST'],
    handle: async ({ params }) => await box.get(params.id),
  });
}

function explain({ box, queue, reads }: ServerParts): Endpoint {
  const durations = readPastDurations(queue, reads);
  let asked = new Set<string>();
  return endpoint({
    method: 'GET',
    path: '/tasks/{id}/explain',
    name: 'explainTask',
    role: 'read',
    tag: 'tasks',
    summary:
      'Why a task waits: for what, who has that, its place in line, its likely start. Or how it ended, and what to do.',
    params: taskParams,
    answer: { json: explanation },
    problems: ['NOT_FOUND', 'TASK_LOST'],
    handle: async ({ params: { id } }) => {
      asked.add(id);
      // All who ask meanwhile are answered by one look at the queue.
      const answers = await reads.share('explain', async () => {
        const ids = [...asked];
        asked = new Set();
        return await explainMany({ queue, keepAfterMs: box.config.keepAfterMs, durations }, ids);
      });
      const answer = answers.get(id);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
}
