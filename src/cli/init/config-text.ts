/** A `signalbox.yaml` in which every option is explained and commented out, made from the schema of options. Pure. */

import { stringify } from 'yaml';
import { z } from 'zod';
import { type OptionName, optionsSchema, VARIABLES } from '../../config/options.ts';
import { BUILT_IN_PRESETS } from '../../task/presets.ts';

/** What an option without a default may look like. */
const EXAMPLES: Readonly<Partial<Record<OptionName, unknown>>> = {
  redisUrl: 'redis://127.0.0.1:6379',
  maxParallelRunners: 8,
  drainTimeout: '25s',
  memoryLimit: '2GiB',
  processLimit: 500,
  diskLimit: '10GiB',
  presets: { 'my-agent': { run: ['my-agent', '--prompt', '{prompt}'], env: { CI: '1' }, secrets: ['MY_AGENT_KEY'] } },
};
/** Their values are secret: they belong into variables. */
const SECRET: readonly string[] = ['token', 'readToken', 'signingKey'];

const HEAD = `# Options of Signalbox for this folder and all below it. Each can be set by its variable too, which wins.
# What is commented out has the value that is shown, or is unset.
`;

/** The text of the file. */
export function configText(): string {
  const { properties = {} } = z.toJSONSchema(optionsSchema, { io: 'input', unrepresentable: 'any' });
  const parts = Object.entries(VARIABLES).map(([option, variable]) => {
    const { default: fallback, description = '' } = properties[option] as { default?: unknown; description?: string };
    const about = `# ${description} (${variable})`;
    if (SECRET.includes(option)) return `${about}\n# A secret: set the variable instead of writing it here.`;
    const value = EXAMPLES[option as OptionName] ?? fallback;
    const more = option === 'presets' ? `\n# Built in: ${Object.keys(BUILT_IN_PRESETS).join(', ')}.` : '';
    return `${about}${more}\n${commented(value === undefined ? `${option}:` : stringify({ [option]: value }))}`;
  });
  return `${HEAD}\n${parts.join('\n\n')}\n`;
}

function commented(yaml: string): string {
  return yaml
    .trimEnd()
    .split('\n')
    .map((line) => `# ${line}`)
    .join('\n');
}
