/** Every question, in the order in which they are asked. */

import type { Question } from '../question.ts';
import { agreement } from './agreement.ts';
import { contention } from './contention.ts';
import { cost } from './cost.ts';
import { estimate } from './estimate.ts';
import { growth } from './growth.ts';
import { handOver } from './hand-over.ts';
import { memory } from './memory.ts';
import { overhead } from './overhead.ts';
import { recovery } from './recovery.ts';
import { throughput } from './throughput.ts';
import { workspace } from './workspace.ts';

/** What is asked unless something is named. */
export const BY_DEFAULT: readonly Question[] = [
  contention,
  throughput,
  handOver,
  growth,
  memory,
  workspace,
  recovery,
  overhead,
  cost,
];
/** What is asked only when it is named: how good forecasts are, not how fast anything is. */
export const ON_REQUEST: readonly Question[] = [agreement, estimate];
