/** What the steps of a task have printed: as text, or as events while it grows. */

import { StringDecoder } from 'node:string_decoder';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { followLog } from '../../client/follow-log.ts';
import { tailsOf } from '../../client/log-tails.ts';
import { openLog } from '../../client/task-files.ts';
import { SignalboxError } from '../../errors.ts';
import type { TaskRecord } from '../../queue/record.ts';
import { logsQuery, taskParams } from '../contract/asked.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { contentOf, SANDBOX } from '../http/files.ts';
import type { ServerParts } from '../parts.ts';
import { problemOf } from '../problems.ts';

/** `false`: only the ends of the steps' output were to be had. */
const COMPLETE = 'signalbox-complete';

/** The endpoint of logs. */
export function logsEndpoint(parts: ServerParts): Endpoint {
  const { queue } = parts;
  return endpoint({
    method: 'GET',
    path: '/tasks/{id}/logs',
    name: 'taskLogs',
    role: 'read',
    tag: 'tasks',
    summary:
      'What the steps of a task have printed. With `follow=true` as server-sent events: `run` with `{run}`, `log` with `{text}`, `note` with `{text}`, and `end` with `{state,code}` once the task has ended.',
    params: taskParams,
    query: logsQuery,
    answer: {
      media: 'text/plain',
      description: 'The log. The header `Signalbox-Complete` is `false` where only the ends of its steps can be had.',
    },
    also: { media: 'text/event-stream', description: 'The log as it grows.' },
    problems: ['NOT_FOUND', 'TASK_LOST', 'TOO_MANY_LISTENERS'],
    handle: async ({ params: { id }, query, request, reply }) => {
      const record = await queue.get(id);
      if (query.follow === 'true') await follow(parts, { id, request, reply });
      else await sendLog(parts, { record, run: query.run, reply });
    },
  });
}

interface Wanted {
  readonly record: TaskRecord;
  readonly run: number | undefined;
  readonly reply: FastifyReply;
}

async function sendLog({ queue, box }: ServerParts, { record, run = record.run, reply }: Wanted): Promise<void> {
  const found = await openLog({ queue, dataDir: box.config.dataDir }, record, run);
  if (typeof found === 'string' && run !== record.run) throw noSuchRun(record, run);
  void reply
    .type('text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-security-policy', SANDBOX)
    .header(COMPLETE, String(typeof found !== 'string'));
  await reply.send(typeof found === 'string' ? tailsOf(record) : contentOf(found));
}

interface Following {
  readonly id: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

async function follow({ queue, box, hub, logger }: ServerParts, { id, request, reply }: Following): Promise<void> {
  const left = new AbortController();
  const stream = hub.open({ request, reply }, () => left.abort());
  // Characters may be cut where parts are.
  const decoder = new StringDecoder('utf8');
  try {
    const { state, code } = await followLog({
      queue,
      dataDir: box.config.dataDir,
      id,
      signal: left.signal,
      onRun: (run) => stream.send('run', { run }),
      note: (text) => stream.send('note', { text }),
      write: async (part) => {
        const text = typeof part === 'string' ? part : decoder.write(Buffer.from(part));
        if (text !== '') stream.send('log', { text });
        await stream.drained();
      },
    });
    if (!left.signal.aborted) stream.send('end', { state, code });
  } catch (error) {
    logger.warn({ err: error, taskId: id }, 'a log could not be followed further');
    stream.send('problem', problemOf(error));
  } finally {
    stream.finish();
  }
}

function noSuchRun({ id, run, host }: TaskRecord, wanted: number): SignalboxError {
  return new SignalboxError('NOT_FOUND', `There is no log of run ${wanted} of task ${id} that can be reached.`, {
    next: `Its newest run is ${run}; logs stay with the worker that made them (the newest: ${host ?? 'none'}).`,
  });
}
