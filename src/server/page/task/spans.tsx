/** A line of output with its colours. */

import type { Span } from './ansi.ts';

/** The pieces of a line; text alone where there is no look. */
export function Spans({ spans }: { readonly spans: readonly Span[] }) {
  return (
    <>
      {spans.map(({ text, look }, i) =>
        look === '' ? (
          text
        ) : (
          <span key={i} class={look}>
            {text}
          </span>
        ),
      )}
    </>
  );
}
