import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configText } from '../../../../src/cli/init/config-text.ts';
import { type OptionName, optionsSchema, VARIABLES } from '../../../../src/config/options.ts';

const SECRET = ['token', 'readToken', 'signingKey'];

test('the file names every option with its variable, and sets none', () => {
  const text = configText();
  for (const [option, variable] of Object.entries(VARIABLES)) {
    expect(text).toContain(`(${variable})`);
    if (!SECRET.includes(option)) expect(text).toMatch(new RegExp(`^# ${option}:`, 'm'));
  }
  expect(parse(text)).toBeNull();
});

test('each option is what the schema takes once the # is away, a default being the default', () => {
  const uncommented = configText().replace(/^# (?=[a-zA-Z]+:|\s|- )/gm, '');
  const given = Object.fromEntries(
    Object.entries(parse(uncommented) as Record<string, unknown>).filter(([, value]) => value !== null),
  );
  expect(optionsSchema.parse(given)).toBeDefined();
  const defaults = optionsSchema.parse({}) as Record<string, unknown>;
  for (const [option, value] of Object.entries(defaults)) {
    if (option === 'presets') continue;
    expect(optionsSchema.parse({ [option]: given[option] })[option as OptionName]).toEqual(value);
  }
});
