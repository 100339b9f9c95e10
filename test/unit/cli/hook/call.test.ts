import { describe, expect, test } from 'vitest';
import { readHookCall } from '../../../../src/cli/hook/call.ts';
import { refusal } from '../../task/support.ts';

const call = (more: object): string =>
  JSON.stringify({ session_id: 's1', transcript_path: '/t', cwd: '/repo', hook_event_name: 'PreToolUse', ...more });

describe('a hook call', () => {
  test.each([
    ['Write', { file_path: '/repo/a.ts', content: 'x' }, ['/repo/a.ts']],
    ['Edit', { file_path: 'a.ts', old_string: 'x', new_string: 'y' }, ['a.ts']],
    ['MultiEdit', { file_path: 'a.ts', edits: [] }, ['a.ts']],
    ['NotebookEdit', { notebook_path: 'a.ipynb' }, ['a.ipynb']],
  ])('before %s claims the file that it names', (tool_name, tool_input, files) => {
    expect(readHookCall(call({ tool_name, tool_input }))).toEqual({
      kind: 'claim',
      session: 's1',
      cwd: '/repo',
      files,
    });
  });

  test('of Gemini CLI is read as well', () => {
    const text = call({ hook_event_name: 'BeforeTool', tool_name: 'write_file', tool_input: { file_path: '/repo/b' } });
    expect(readHookCall(text)).toMatchObject({ kind: 'claim', files: ['/repo/b'] });
  });

  test.each([
    { tool_name: 'Read', tool_input: { file_path: '/repo/a.ts' } },
    { tool_name: 'Bash', tool_input: { command: 'ls' } },
    { tool_name: 'Write', tool_input: { file_path: 7 } },
    { hook_event_name: 'PostToolUse', tool_name: 'Write', tool_input: { file_path: 'a' } },
    { hook_event_name: 'SessionStart' },
  ])('%j asks for nothing', (more) => {
    expect(readHookCall(call(more))).toEqual({ kind: 'nothing' });
  });

  test.each(['SessionEnd', 'Stop', 'AfterAgent'])('at %s gives back what the session holds', (hook_event_name) => {
    expect(readHookCall(call({ hook_event_name }))).toEqual({ kind: 'release', session: 's1' });
  });

  test.each(['', '{', '[]', '{"session_id":"s"}', '{"hook_event_name":"PreToolUse"}'])('%j is refused', (text) => {
    expect(refusal(() => readHookCall(text))).toMatchObject({ code: 'INVALID' });
  });
});
