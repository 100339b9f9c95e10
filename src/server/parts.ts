/** What the routes are made from. Made once by `dashboard.ts` and passed down. */

import type { Signalbox } from '../client/signalbox.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Access } from './auth/access.ts';
import type { Reads } from './reads.ts';
import type { EventHub } from './sse/hub.ts';

/** The parts of a running dashboard. */
export interface ServerParts {
  readonly box: Signalbox;
  readonly queue: TaskQueue;
  readonly access: Access;
  readonly hub: EventHub;
  readonly reads: Reads;
  readonly logger: Logger;
  /** The folder of the built page. */
  readonly pageDir: string;
  readonly version: string;
}
