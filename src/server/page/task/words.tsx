/** A sentence of `explain`: what stands between backquotes is a command, and ids of tasks are links. */

import { TaskLink } from '../parts/chips.tsx';
import { piecesOf } from './pieces.ts';

/** The sentence. */
export function Words({ text }: { readonly text: string }) {
  return (
    <>
      {piecesOf(text).map(({ kind, text: piece }, i) => {
        const key = `${i} ${piece}`;
        if (kind === 'code') return <code key={key}>{piece}</code>;
        return kind === 'task' ? <TaskLink key={key} id={piece} /> : piece;
      })}
    </>
  );
}
