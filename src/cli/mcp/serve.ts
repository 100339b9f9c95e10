/**
 * Runs the MCP server on stdin and stdout until its client goes away.
 *
 * The client's end is the end of stdin, also when it is killed: what its session holds is given back then. When this
 * process is killed itself, its lease lapses and the reaper frees it.
 */

import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { ClaimSession } from '../../client/session.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { CLAIM_TOOLS } from './claim-tools.ts';
import { createMcpServer } from './server.ts';
import { TASK_TOOLS } from './task-tools.ts';
import type { ToolWorld } from './tool.ts';

/** Every tool. */
export const TOOLS = [...TASK_TOOLS, ...CLAIM_TOOLS];

/** What the server is run with. */
export interface ServeOptions extends Pick<ToolWorld, 'reading' | 'socket'> {
  readonly connect: () => Promise<Signalbox>;
  readonly version: string;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Serves until stdin ends or a signal comes; then all is given back. */
export async function serveMcp({ connect, version, ...parts }: ServeOptions): Promise<void> {
  const kept = keepConnection(connect);
  const world: ToolWorld = { ...parts, box: kept.box, session: kept.session };
  const server = createMcpServer(TOOLS, world, version);
  const gone = untilGone();
  await server.connect(new StdioServerTransport());
  await gone;
  await server.close();
  await kept.close();
}

async function untilGone(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve).once('error', resolve);
    // A client that is killed before it has read an answer is seen here first. Other commands end at once then; this one
    // gives back what it holds.
    process.stdout.removeAllListeners('error').on('error', () => resolve());
    for (const signal of SIGNALS) process.once(signal, () => resolve());
  });
}

/** Connects when it is first needed, and tries again after a failure, so that the server outlives an absent Redis. */
function keepConnection(connect: () => Promise<Signalbox>) {
  let box: Promise<Signalbox> | undefined;
  let session: ClaimSession | undefined;
  const open = async (): Promise<Signalbox> => {
    box ??= connect().catch((error: unknown) => {
      box = undefined;
      throw error;
    });
    return await box;
  };
  return {
    box: open,
    session: async () => {
      const opened = await open();
      session ??= opened.session('mcp');
      return session;
    },
    close: async (): Promise<void> => {
      // When Redis is away the lease lapses by itself.
      await session?.release().catch(() => []);
      await (await box?.catch(() => undefined))?.close();
    },
  };
}
