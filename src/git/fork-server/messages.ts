/** What a worker and its fork server say to each other over the channel that `fork` opens; `id` numbers a git process. */

import type { GitExit, GitStart } from '../git-process.ts';

/** To the server. */
export type Request =
  | { readonly do: 'start'; readonly id: number; readonly start: GitStart }
  | { readonly do: 'end'; readonly id: number; readonly signal: 'SIGTERM' | 'SIGKILL' };

/** From the server. `ending` answers `end` at once, so that a server that hangs is found out. */
export type Answer =
  | { readonly say: 'running'; readonly id: number; readonly pid: number | undefined }
  | { readonly say: 'ending'; readonly id: number }
  | { readonly say: 'ended'; readonly id: number; readonly exit: GitExit };
