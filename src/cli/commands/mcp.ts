/** `signalbox mcp`: the queue and its claims as tools of an agent. */

import { loadConfig } from '../../config/config.ts';
import { processSources } from '../../config/process.ts';
import { command } from '../command.ts';
import { serveMcp } from '../mcp/serve.ts';
import { version } from '../version.ts';

/** Serves the Model Context Protocol on stdin and stdout. */
export const mcp = command({
  name: 'mcp',
  summary: 'serve the tools of an agent by the Model Context Protocol, on stdin and stdout',
  details: `An agent's program starts it; it ends when that program goes away. Its tools are submit, plan, list, show, explain
and claims, which answer as the commands of the same name do, and claim and release: by these an agent that edits
a checkout by itself holds paths or a branch as long as its session lives. A claim that others hold is refused at
once and says who has it since when, or waits for its turn up to \`waitMs\`; a further claim is had at once or not at
all. What is held is given back by release, at the session's end, and when either program is killed.

A failed call is a result with isError and \`structuredContent.error\`, as the errors of --json are. Paths count from
the folder where it is started. Inside a step of a task a claim becomes one of that task.`,
  json: 'the messages of the protocol, one a line',
  examples: ['claude mcp add signalbox -- signalbox mcp', 'codex mcp add signalbox -- signalbox mcp', 'signalbox mcp'],
  run: async ({ flags, connect }) => {
    const sources = processSources();
    const { presets } = loadConfig({ ...sources, flags });
    const { SIGNALBOX_SOCKET: socket } = sources.env;
    const reading = { cwd: sources.cwd, presets };
    await serveMcp({ connect, reading, socket: socket === '' ? undefined : socket, version: version() });
    return undefined;
  },
});
