import { expect, test } from 'vitest';
import { CliWorld } from '../../support/cli.ts';

/** Writes at its end whether BullMQ was loaded, half of what there is to load. */
const SPY = `process.on('exit', () => {
  const files = Object.keys(require('node:module')._cache);
  process.stderr.write(files.some((file) => file.includes('/node_modules/bullmq/')) ? 'LOADED' : 'SPARED');
});
`;

test.each([
  { args: ['hook', '--session', 's', '--release'], says: 'SPARED' },
  { args: ['completion', 'bash'], says: 'SPARED' },
  { args: ['claims', '--json'], says: 'LOADED' },
])('what connecting stands on, for $args: $says', async ({ args, says }) => {
  await using world = new CliWorld();
  const env = { ...world.env, NODE_OPTIONS: `--require ${world.file('spy.cjs', SPY)}` };
  const { code, stderr } = await world.run(args, { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: says });
});
