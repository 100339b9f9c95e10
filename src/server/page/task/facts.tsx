/** What else is known about a task, and the files that it left. */

import type { ComponentChildren } from 'preact';
import { addressOf } from '../api/request.ts';
import type { TaskView } from '../api/shapes.ts';
import { Ago, Since } from '../parts/chips.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Panel } from '../parts/states.tsx';
import { bytesWords, countWords } from '../words/amount.ts';
import { durationWords } from '../words/time.ts';

/** The column beside the log. */
export function Facts({ task }: { readonly task: TaskView }) {
  return (
    <aside class="task-side">
      <Artifacts task={task} />
      <Files files={task.filesChanged} />
      <Panel title="Details">
        <dl class="facts">
          {factsOf(task).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </Panel>
    </aside>
  );
}

function factsOf(task: TaskView): [string, ComponentChildren][] {
  const { startedAt, finishedAt, submittedAt, commit, fenceToken, crashes } = task;
  const facts: [string, ComponentChildren | null][] = [
    ['Owner', task.owner],
    ['Spec', task.spec],
    ['Priority', task.priority],
    ['Base', task.base],
    ['Submitted', <Ago key="s" at={submittedAt} />],
    ['Waited', durationWords(task.waitMs)],
    ['Blocked', durationWords(task.blockedMs)],
    ['Ran', startedAt === null ? null : <Since key="r" at={startedAt} until={finishedAt} />],
    [
      'Attempts',
      `${task.attempts} charged, ${countWords(task.runs, 'run')}${crashes === 0 ? '' : `, ${crashes} crashed`}`,
    ],
    ['Commit', commit === null ? null : <code title={commit}>{commit.slice(0, 12)}</code>],
    ['Host', task.host],
    ['Isolation', task.isolation],
    [
      'Beside',
      task.concurrentRunners === null ? null : countWords(Math.max(0, task.concurrentRunners - 1), 'other runner'),
    ],
    ['Fence', fenceToken === null ? task.fence : <code title={fenceToken}>{fenceToken.slice(0, 12)}</code>],
    ['Error', task.error],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
}

function Artifacts({ task: { id, artifacts } }: { readonly task: TaskView }) {
  return (
    <Panel title="Artifacts" count={artifacts.length}>
      {artifacts.length === 0 ? (
        <Empty title="No files were kept yet." />
      ) : (
        <ul class="artifacts">
          {artifacts.map(({ kind, path, bytes, sha256 }, i) => (
            <li key={path}>
              <a
                href={addressOf(`/tasks/${encodeURIComponent(id)}/artifacts/${i}`)}
                download={nameOf(path)}
                title={`${path}\nsha256 ${sha256}`}
              >
                <Icon name="download" />
                <span class="ellipsis">{nameOf(path)}</span>
                <span class="faint">{kind}</span>
                <span class="number faint">{bytesWords(bytes)}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

const FILES = 12;

function Files({ files }: { readonly files: readonly string[] }) {
  if (files.length === 0) return null;
  return (
    <Panel title="Files changed" count={files.length}>
      <ul class="files">
        {files.slice(0, FILES).map((file) => (
          <li key={file}>
            <code class="ellipsis" title={file}>
              {file}
            </code>
          </li>
        ))}
      </ul>
      {files.length > FILES && <p class="more faint">and {files.length - FILES} more</p>}
    </Panel>
  );
}

function nameOf(path: string): string {
  return path.split('/').slice(-1)[0] ?? path;
}
