/** The files that a task has left: its diff as text, and its artifacts to download. */

import { basename } from 'node:path';
import { type NoFile, openFile, type TaskFile } from '../../client/task-files.ts';
import { SignalboxError } from '../../errors.ts';
import type { Artifact, TaskRecord } from '../../queue/record.ts';
import { artifactParams, taskParams } from '../contract/asked.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { contentOf, SANDBOX } from '../http/files.ts';
import type { ServerParts } from '../parts.ts';
import { HttpProblem } from '../problems.ts';

/** The endpoints of files. */
export function downloadEndpoints(parts: ServerParts): Endpoint[] {
  return [diff(parts), artifact(parts)];
}

function diff(parts: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/tasks/{id}/diff',
    name: 'taskDiff',
    role: 'read',
    tag: 'tasks',
    summary: 'What a task has changed, as a patch; of one that has not published, the work that was saved.',
    params: taskParams,
    answer: { media: 'text/plain', description: 'A patch as `git apply` takes it.' },
    problems: ['NOT_FOUND', 'TASK_LOST', 'OUT_OF_REACH'],
    handle: async ({ params: { id }, reply }) => {
      const record = await parts.queue.get(id);
      const kept = record.artifacts.findLast(({ kind }) => kind === 'diff' || kind === 'patch');
      if (kept === undefined) throw nothing(`Task ${id} has no diff.`);
      const file = await found(parts, record, kept);
      void reply.type('text/plain; charset=utf-8').header('content-security-policy', SANDBOX);
      await reply.header('cache-control', 'no-store').send(contentOf(file));
    },
  });
}

function artifact(parts: ServerParts): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/tasks/{id}/artifacts/{index}',
    name: 'taskArtifact',
    role: 'read',
    tag: 'tasks',
    summary: 'One of the files that a task has left, by its place in `artifacts`.',
    params: artifactParams,
    answer: { media: 'application/octet-stream', description: 'The file.' },
    problems: ['NOT_FOUND', 'TASK_LOST', 'OUT_OF_REACH'],
    handle: async ({ params: { id, index }, reply }) => {
      const record = await parts.queue.get(id);
      const kept = record.artifacts[index];
      if (kept === undefined) throw nothing(`Task ${id} has no artifact ${index}.`);
      const file = await found(parts, record, kept);
      const name = `${id}-${basename(kept.path).replace(/[^\w.-]/g, '_')}`;
      void reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${name}"`)
        .header('content-security-policy', SANDBOX)
        .header('cache-control', 'no-store');
      await reply.send(contentOf(file));
    },
  });
}

async function found({ queue, box }: ServerParts, record: TaskRecord, { path }: Artifact): Promise<TaskFile> {
  const file: TaskFile | NoFile = await openFile({ queue, dataDir: box.config.dataDir }, record, path);
  if (file === 'missing') throw nothing(`${path} of task ${record.id} is no longer there.`);
  if (file === 'unreachable') {
    throw new HttpProblem('OUT_OF_REACH', `${path} is on ${record.host ?? 'its host'}, where no worker answers.`, {
      next: 'Start a worker there with the same data folder, then try again.',
    });
  }
  return file;
}

function nothing(message: string): SignalboxError {
  return new SignalboxError('NOT_FOUND', message, { next: 'See what it has left with `signalbox show ID`.' });
}
