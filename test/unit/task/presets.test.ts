import { describe, expect, test } from 'vitest';
import { defineConfig, loadConfig } from '../../../src/config/config.ts';
import { BUILT_IN_PRESETS, preset, presets } from '../../../src/task/presets.ts';
import { parseTask, parseTasks } from '../../../src/task/schema.ts';
import { parseEnvelope, serializeTask } from '../../../src/task/stored.ts';
import { refusal, SMALL_TASK } from './support.ts';

const MINE = {
  mine: { run: ['my-agent', '--say={prompt}', '--', '{prompt}'], env: { MODEL: 'big', CI: '1' }, secrets: ['MY_KEY'] },
};
const withStep = (step: unknown, more: object = {}): object => ({ ...SMALL_TASK, implement: [step], ...more });
const read = (task: object) => parseTask(task, { presets: { ...BUILT_IN_PRESETS, ...MINE } });

describe('a step that names an agent', () => {
  test('becomes an ordinary step, whose stored form older workers read', () => {
    const task = parseTask(withStep({ agent: 'claude', prompt: 'Add rate limiting', timeout: '5m' }));
    expect(task.implement).toEqual([
      {
        name: 'claude: Add rate limiting',
        command: { kind: 'argv', argv: ['claude', '-p', 'Add rate limiting', '--permission-mode', 'acceptEdits'] },
        timeoutMs: 300_000,
        retries: 0,
      },
    ]);
    expect(task.secrets).toEqual(['ANTHROPIC_API_KEY']);
    expect(parseEnvelope(serializeTask(task))).toEqual(task);
  });

  test('is told its prompt letter by letter, wherever the preset has it', () => {
    const prompt = "it's $& and `x`\n{prompt}";
    const { implement } = read(withStep({ agent: 'mine', prompt }));
    expect(implement[0]?.command).toMatchObject({ argv: ['my-agent', `--say=${prompt}`, '--', prompt] });
  });

  test('brings variables and secrets, and those of the task win', () => {
    const step = { agent: 'mine', prompt: 'x' };
    expect(read(withStep(step, { env: { MODEL: 'small' } }))).toMatchObject({
      env: { MODEL: 'small', CI: '1' },
      secrets: ['MY_KEY'],
    });
    expect(read(withStep(step, { env: { MY_KEY: 'in the open' } }))).toMatchObject({ secrets: [] });
    expect(read(withStep(step, { secrets: ['MODEL'] }))).toMatchObject({
      env: { CI: '1' },
      secrets: ['MODEL', 'MY_KEY'],
    });
  });

  test('may be among the tests', () => {
    const task = read({ ...SMALL_TASK, test: [{ agent: 'mine', prompt: 'review' }] });
    expect(task.test).toMatchObject([{ command: { kind: 'argv' } }]);
  });

  test('is refused by name when there is no such preset, with the nearest', () => {
    const refused = refusal(() => read(withStep({ agent: 'cluade', prompt: 'x' })));
    expect(refused).toMatchObject({ code: 'INVALID', field: 'implement[0].agent' });
    expect(refused.message).toContain('did you mean `claude`?');
    const far = refusal(() => parseTasks([SMALL_TASK, withStep({ agent: 'constructor', prompt: 'x' })]));
    expect(far).toMatchObject({ code: 'INVALID', field: '[1].implement[0].agent' });
    expect(far.message).toContain('claude, codex, gemini, aider, opencode');
  });

  test.each([
    [{ agent: 'claude' }, 'must have a `prompt`'],
    [{ prompt: 'x' }, 'must have one of'],
    [{ run: 'x', prompt: 'x' }, 'must not have `prompt` without `agent`'],
    [{ run: 'x', agent: 'claude', prompt: 'x' }, 'must have one of'],
    [{ agent: 'claude', prompt: ' ' }, 'must not be empty'],
  ])('%j is refused', (step, says) => {
    expect(refusal(() => parseTask(withStep(step))).message).toContain(says);
  });
});

describe('presets in the configuration', () => {
  const load = (value: unknown) => loadConfig({ env: {}, cwd: '/', flags: { presets: value } });

  test('are added to the built-in ones, and win over them', () => {
    const claude = { run: ['my-claude', '{prompt}'] };
    const { presets: known } = defineConfig({ presets: { ...MINE, claude } });
    expect(known['mine']).toEqual(MINE.mine);
    expect(known['claude']).toEqual({ ...claude, env: {}, secrets: [] });
    expect(known['codex']).toEqual(BUILT_IN_PRESETS['codex']);
  });

  test('may come as JSON in a variable', () => {
    const env = { SIGNALBOX_PRESETS: JSON.stringify(MINE) };
    expect(loadConfig({ env, cwd: '/' }).presets['mine']).toEqual(MINE.mine);
  });

  test.each([
    [{ a: { run: ['x'] } }, 'presets.a.run', '{prompt}'],
    [{ a: { run: 'x {prompt}' } }, 'presets.a.run', 'must be a list'],
    [{ a: { rnu: ['{prompt}'] } }, 'presets.a', 'run'],
    [{ a: { run: ['{prompt}'], env: { SIGNALBOX_X: '1' } } }, 'presets.a.env.SIGNALBOX_X', 'must not begin'],
    [{ 'A b': { run: ['{prompt}'] } }, 'presets', 'must be a name'],
    ['{', 'presets', 'must be'],
  ])('%j is refused with the field', (value, field, says) => {
    const refused = refusal(() => load(value));
    expect(refused.code).toBe('INVALID');
    expect(refused.field).toContain(field);
    expect(refused.message).toContain(says);
  });

  test('do not repeat the values of variables in an error', () => {
    expect(refusal(() => load({ a: { run: ['{prompt}'], env: { KEY: 12345 } } })).message).not.toContain('12345');
  });
});

test('every built-in preset is what the configuration would take', () => {
  expect(presets.parse(BUILT_IN_PRESETS)).toEqual(BUILT_IN_PRESETS);
  for (const one of Object.values(BUILT_IN_PRESETS)) expect(preset.safeParse(one).success).toBe(true);
});
