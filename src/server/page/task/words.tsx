/** A sentence of `explain`: commands stand out, ids of tasks are links, times are those of the wall clock. */

import { TaskLink } from '../parts/chips.tsx';
import { clockWords } from '../words/time.ts';
import { piecesOf } from './pieces.ts';

/** The sentence. */
export function Words({ text }: { readonly text: string }) {
  return (
    <>
      {piecesOf(text).map(({ kind, text: piece }, i) => {
        const key = `${i} ${piece}`;
        if (kind === 'code') return <code key={key}>{piece}</code>;
        if (kind === 'time') return <Moment key={key} at={piece} />;
        return kind === 'task' ? <TaskLink key={key} id={piece} /> : piece;
      })}
    </>
  );
}

function Moment({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {clockWords(Date.parse(at))}
    </time>
  );
}
