/** The systems by name. */

import { bullmqAlone, bullmqPutBack, bullmqWithRedlock } from './bullmq.ts';
import { signalbox } from './signalbox.ts';
import type { System } from './system.ts';

/** What is measured, and what it is measured against. */
export const SYSTEMS = {
  signalbox,
  bullmqWithRedlock,
  bullmqPutBack,
  bullmqAlone,
} as const satisfies Record<string, System>;
/** The name of a system. */
export type SystemName = keyof typeof SYSTEMS;
