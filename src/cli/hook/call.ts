/** What an agent tells a hook, and what that asks of Signalbox. Pure. */

import { z } from 'zod';
import { SignalboxError } from '../../errors.ts';

/** What is to be done. */
export type HookCall =
  | {
      readonly kind: 'claim';
      readonly session: string;
      readonly cwd: string | undefined;
      readonly files: readonly string[];
    }
  | { readonly kind: 'release'; readonly session: string }
  | { readonly kind: 'nothing' };

/**
 * Claude Code and those that do as it does send this; other fields are theirs. A tool names the file that it is going
 * to write in one of these fields.
 */
const schema = z.looseObject({
  session_id: z.string().min(1),
  cwd: z.string().optional(),
  hook_event_name: z.string(),
  tool_name: z.string().optional(),
  tool_input: z.looseObject({}).optional(),
});
const FILE_FIELDS = ['file_path', 'notebook_path', 'absolute_path', 'path'];

const BEFORE = ['PreToolUse', 'BeforeTool'];
const END = ['SessionEnd', 'Stop', 'AfterAgent'];
/** Tools that only look, should the hook be called for all tools. */
const READERS = [
  'Read',
  'NotebookRead',
  'Glob',
  'Grep',
  'LS',
  'read_file',
  'read_many_files',
  'list_directory',
  'glob',
];

/** Reads the JSON of a hook. Throws INVALID when it is none. */
export function readHookCall(text: string): HookCall {
  const { session_id: session, cwd, hook_event_name: event, tool_name: tool = '', tool_input: input = {} } = read(text);
  if (END.includes(event)) return { kind: 'release', session };
  const files = FILE_FIELDS.flatMap((field) => {
    const value = input[field];
    return typeof value === 'string' && value !== '' ? [value] : [];
  });
  if (!BEFORE.includes(event) || READERS.includes(tool) || files.length === 0) return { kind: 'nothing' };
  return { kind: 'claim', session, cwd, files };
}

function read(text: string): z.output<typeof schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SignalboxError('INVALID', 'What came on stdin is not the JSON of a hook.', {
      next: 'Let the agent call it as a PreToolUse hook, or name files: `signalbox hook --session ID PATH`.',
      cause,
    });
  }
}
