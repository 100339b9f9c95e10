/** What the task changed, with colours. */

import { useEffect, useState } from 'preact/hooks';
import { addressOf, getText } from '../api/request.ts';
import type { TaskView } from '../api/shapes.ts';
import { useLoad } from '../api/use-load.ts';
import { Empty, Loading, Show } from '../parts/states.tsx';
import { countWords } from '../words/amount.ts';
import { hasEnded } from '../words/state.ts';
import type { DiffFile, DiffRow } from './diff-files.ts';

/** Longer files are shown as far as this until asked for. */
const ROWS = 400;
/** Files that are open at once: the rest opens by a click. */
const OPEN_FILES = 20;

/** The diff of a task, file by file. */
export function Diff({ task }: { readonly task: TaskView }) {
  const { id, state } = task;
  const patch = useLoad(
    `diff ${id} ${state}`,
    async (signal) => (await getText(addressOf(`/tasks/${encodeURIComponent(id)}/diff`), signal)) ?? '',
    { isFinal: true },
  );
  return (
    <Show of={patch} rows={6}>
      {(text) =>
        text.trim() === '' ? (
          <Empty
            title={
              hasEnded(state) ? 'It changed nothing, or its diff is not kept.' : 'The diff is there once it has run.'
            }
          />
        ) : (
          <Files patch={text} />
        )
      }
    </Show>
  );
}

function Files({ patch }: { readonly patch: string }) {
  const [files, setFiles] = useState<readonly DiffFile[]>();
  useEffect(() => {
    let isGone = false;
    // The parser is loaded when the first diff is looked at.
    void import('./diff-files.ts').then(({ diffFiles }) => {
      if (!isGone) setFiles(diffFiles(patch));
    });
    return () => {
      isGone = true;
    };
  }, [patch]);
  if (files === undefined) return <Loading rows={6} />;
  const sum = (of: 'added' | 'deleted'): number => files.reduce((all, file) => all + file[of], 0);
  return (
    <div class="diff">
      <p class="diff-sum">
        {countWords(files.length, 'file')} <span class="is-added">+{sum('added')}</span>{' '}
        <span class="is-deleted">−{sum('deleted')}</span>
      </p>
      {files.map((file, i) => (
        <File key={`${i} ${file.name}`} file={file} isOpen={i < OPEN_FILES} />
      ))}
    </div>
  );
}

function File({ file, isOpen }: { readonly file: DiffFile; readonly isOpen: boolean }) {
  const { name, oldName, note, added, deleted, rows } = file;
  const [most, setMost] = useState(ROWS);
  const [open, setOpen] = useState(isOpen);
  return (
    <details class="diff-file" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <code class="ellipsis" title={name}>
          {oldName === undefined ? name : `${oldName} → ${name}`}
        </code>
        {note !== undefined && <span class="diff-note">{note}</span>}
        <span class="is-added">+{added}</span>
        <span class="is-deleted">−{deleted}</span>
      </summary>
      {open && (
        <div class="diff-scroll" tabIndex={0} role="group" aria-label={`Changes of ${name}`}>
          <table class="diff-table">
            <tbody>
              {rows.slice(0, most).map((row, i) => (
                <Row key={i} row={row} />
              ))}
            </tbody>
          </table>
          {rows.length === 0 && <p class="diff-empty">No lines to show.</p>}
        </div>
      )}
      {open && rows.length > most && (
        <button type="button" class="button diff-more" onClick={() => setMost(most + 5 * ROWS)}>
          Show more of {countWords(rows.length - most, 'line')}
        </button>
      )}
    </details>
  );
}

const SIGNS = { insert: '+', delete: '−', context: '', hunk: '' } as const;
const WORDS = { insert: 'added', delete: 'deleted', context: undefined, hunk: undefined } as const;

function Row({ row }: { readonly row: DiffRow }) {
  return (
    <tr class={`is-${row.kind}`}>
      <td class="diff-number">{row.old}</td>
      <td class="diff-number">{row.new}</td>
      <td class="diff-sign" aria-label={WORDS[row.kind]}>
        {SIGNS[row.kind]}
      </td>
      <td class="diff-line">{row.text}</td>
    </tr>
  );
}
