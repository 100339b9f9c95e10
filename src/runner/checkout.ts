/** What a run works on, and what comes of it. */

import type { Mirror, Oid } from '../git/mirror.ts';
import type { StartPoint } from '../git/start-point.ts';
import type { Workspace } from '../git/workspace.ts';

/** The run's own checkout and where it started. */
export interface Checkout {
  readonly mirror: Mirror;
  readonly start: StartPoint;
  readonly workspace: Workspace;
}

/** What the steps of the run have made. */
export interface RunResult {
  /** The runner's commit; null if nothing changed. */
  readonly commit: Oid | null;
  readonly filesChanged: readonly string[];
}
