/**
 * Lock modes of multi-granularity locking (Gray et al., "Granularity of Locks in a Shared Data Base", 1975).
 *
 * A write takes X on its path and IX on every folder above it; a read takes S and IS. So `src/auth/**` and
 * `src/auth/login.ts` meet at the folder `src/auth`, and nobody compares globs. `counts.lua` holds the same table; a
 * test compares the two.
 */

/** IS and IX: something below is read or written. S and X: the whole subtree is. SIX: read whole, written in parts. */
export const MODES = ['IS', 'IX', 'S', 'SIX', 'X'] as const;

/** One of the five lock modes. */
export type Mode = (typeof MODES)[number];

/** How a node is held: a counted thing by `slot`, whose capacity limits it instead of other modes. */
export type NodeMode = Mode | 'slot';

const CONFLICTS: Readonly<Record<Mode, readonly Mode[]>> = {
  IS: ['X'],
  IX: ['S', 'SIX', 'X'],
  S: ['IX', 'SIX', 'X'],
  SIX: ['IX', 'S', 'SIX', 'X'],
  X: ['IS', 'IX', 'S', 'SIX', 'X'],
};

/** Whether two holders may not have these modes on one node at the same time. Slots never exclude by mode. */
export function conflicts(a: NodeMode, b: NodeMode): boolean {
  return a !== 'slot' && b !== 'slot' && CONFLICTS[a].includes(b);
}

/** The weakest mode that grants both: what one holder needs who wants `a` and `b` on one node. */
export function join(a: Mode, b: Mode): Mode {
  if (a === b) return a;
  if (a === 'X' || b === 'X') return 'X';
  if (a === 'SIX' || b === 'SIX') return 'SIX';
  if (a === 'IS') return b;
  if (b === 'IS') return a;
  return 'SIX';
}
