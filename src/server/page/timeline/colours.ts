/** The theme's colours, for the canvas. */

import { colour, theme } from '../shell/theme.ts';
import { TINTS } from '../words/tint.ts';

/** What the timeline is drawn with. */
export interface Colours {
  readonly ink: string;
  readonly faint: string;
  readonly line: string;
  readonly grid: string;
  readonly now: string;
  readonly wait: string;
  readonly failed: string;
  readonly surface: string;
  readonly font: string;
  readonly fills: readonly string[];
  readonly edges: readonly string[];
}

let made: { readonly of: string; readonly colours: Colours } | undefined;

/** The colours of the theme in force. */
export function colours(): Colours {
  if (made?.of === theme.value) return made.colours;
  const each = (kind: string): string[] => Array.from({ length: TINTS }, (_, i) => colour(`tint-${i}-${kind}`));
  const read: Colours = {
    ink: colour('ink'),
    faint: colour('ink-faint'),
    line: colour('line'),
    grid: colour('line-faint'),
    now: colour('accent'),
    wait: colour('blocked'),
    failed: colour('failed'),
    surface: colour('surface'),
    font: colour('sans'),
    fills: each('fill'),
    edges: each('edge'),
  };
  made = { of: theme.value, colours: read };
  return read;
}
