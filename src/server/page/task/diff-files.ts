/** A diff as files and rows, by diff2html's parser. Its own HTML is not used: every text becomes a text node. Pure. */

import { parse } from 'diff2html/lib-esm/diff-parser.js';

/** A row of a file: a line, or the heading of a hunk. */
export interface DiffRow {
  readonly kind: 'insert' | 'delete' | 'context' | 'hunk';
  readonly old: number | undefined;
  readonly new: number | undefined;
  readonly text: string;
}

/** A file of a diff. */
export interface DiffFile {
  readonly name: string;
  /** Where it was before, if it was renamed or copied. */
  readonly oldName: string | undefined;
  readonly note: 'new' | 'deleted' | 'renamed' | 'copied' | 'binary' | undefined;
  readonly added: number;
  readonly deleted: number;
  readonly rows: readonly DiffRow[];
}

/** Files of a patch, in its order. */
export function diffFiles(patch: string): DiffFile[] {
  return parse(patch).map((file) => {
    const { oldName, newName, addedLines, deletedLines, blocks } = file;
    const name = file.isDeleted === true || newName === '/dev/null' ? oldName : newName;
    return {
      name,
      oldName: oldName === name || oldName === '/dev/null' ? undefined : oldName,
      note: noteOf(file),
      added: addedLines,
      deleted: deletedLines,
      rows: blocks.flatMap(({ header, lines }) => [
        { kind: 'hunk' as const, old: undefined, new: undefined, text: header },
        ...lines.map((line) => ({
          kind: line.type as 'insert' | 'delete' | 'context',
          old: line.oldNumber,
          new: line.newNumber,
          // The sign at its beginning is told by its kind.
          text: line.content.slice(1),
        })),
      ]),
    };
  });
}

function noteOf(file: ReturnType<typeof parse>[number]): DiffFile['note'] {
  if (file.isBinary === true) return 'binary';
  if (file.isNew === true) return 'new';
  if (file.isDeleted === true) return 'deleted';
  if (file.isRename === true) return 'renamed';
  return file.isCopy === true ? 'copied' : undefined;
}
