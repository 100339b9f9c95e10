/** What a tool of the MCP server is, and what it works with. */

import type { z } from 'zod';
import type { ClaimSession } from '../../client/session.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import type { Reading } from '../submit/sources.ts';

/** What all tools work with. */
export interface ToolWorld {
  /** Connects at the first call, and again after a failure. Throws REDIS_UNREACHABLE. */
  readonly box: () => Promise<Signalbox>;
  /** The claims of this server's client. */
  readonly session: () => Promise<ClaimSession>;
  /** The folder that paths count from, and the presets. */
  readonly reading: Reading;
  /** Inside a step of a task: the run's socket. */
  readonly socket: string | undefined;
}

/** What a tool answers: `value` as structured content, and the same in a few words. */
export interface ToolAnswer {
  readonly value: object;
  readonly text: string;
}

/** A tool. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** What its arguments look like; published as JSON Schema. */
  readonly input: z.ZodType;
  readonly readOnly: boolean;
  /** Throws SignalboxError, INVALID naming the field for wrong arguments. */
  readonly run: (args: unknown, world: ToolWorld, signal: AbortSignal) => Promise<ToolAnswer>;
}
