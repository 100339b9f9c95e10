/**
 * The MCP server: lists the tools with the JSON Schemas of what they take, and calls them.
 *
 * The SDK's low-level server, not its `McpServer`: that one checks arguments itself and answers a wrong one with zod's
 * text, where ours names the field, what was expected and what to do next.
 */

import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { SignalboxError } from '../../errors.ts';
import { nearMiss } from '../../invalid.ts';
import { readError } from '../errors.ts';
import type { Tool, ToolWorld } from './tool.ts';

const INSTRUCTIONS = `Signalbox keeps several workers on one code base out of each other's way. Before you change files in a
checkout, call claim with the paths (or with the branch) that you are going to change; if somebody else has them, you are told
who and since when: work on something else, or try again later. Call release when your changes are committed, or given up. What
you hold is given back by itself when this session ends. To have work done elsewhere, call submit; explain says why a task waits.`;

/** Makes the server; connect it to a transport. */
export function createMcpServer(tools: readonly Tool[], world: ToolWorld, version: string): Server {
  const server = new Server(
    { name: 'signalbox', version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS.replaceAll('\n', ' ') },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map(describe) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) => {
    try {
      const tool = tools.find(({ name }) => name === params.name);
      if (tool === undefined) throw unknownTool(params.name, tools);
      const { value, text } = await tool.run(params.arguments ?? {}, world, signal);
      return { content: [{ type: 'text', text }], structuredContent: { ...value } };
    } catch (error) {
      return failure(readError(error));
    }
  });
  return server;
}

function describe({ name, title, description, input, readOnly }: Tool) {
  const { $schema: _draft, ...inputSchema } = z.toJSONSchema(input, { io: 'input' });
  return {
    name,
    title,
    description,
    inputSchema: inputSchema as { type: 'object' },
    annotations: { readOnlyHint: readOnly, destructiveHint: false, openWorldHint: !readOnly },
  };
}

function failure(error: SignalboxError): CallToolResult {
  const { code, message, next, field } = error;
  const where = field === undefined || field === '' || message.includes(field) ? '' : ` (field ${field})`;
  return {
    isError: true,
    content: [{ type: 'text', text: `${code}: ${message}${where}\nnext: ${next}` }],
    structuredContent: { error: { ...error.toJSON(), ...(code === 'CONFLICT' ? error.details : {}) } },
  };
}

function unknownTool(name: string, tools: readonly Tool[]): SignalboxError {
  const names = tools.map((tool) => tool.name);
  const near = nearMiss(name, names);
  const next = near === undefined ? `The tools are ${names.join(', ')}.` : `Did you mean ${near}?`;
  return new SignalboxError('NOT_FOUND', `There is no tool ${JSON.stringify(name)}.`, { next });
}
