/** The systems by name. */

import { bullmqAlone, bullmqPutBack, bullmqWithRedlock } from './bullmq.ts';
import { graphileWorker } from './graphile.ts';
import { groupmq } from './groupmq.ts';
import { signalbox } from './signalbox.ts';
import type { System } from './system.ts';

const systems = {
  signalbox,
  bullmqWithRedlock,
  bullmqPutBack,
  bullmqAlone,
  groupmq,
  graphileWorker,
} as const satisfies Record<string, System>;
/** The name of a system. */
export type SystemName = keyof typeof systems;

/** What is measured, and what it is measured against. */
export const SYSTEMS: Readonly<Record<SystemName, System>> = systems;
