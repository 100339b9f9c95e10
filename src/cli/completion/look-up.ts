/** Values that only the queue or the configuration knows. */

import type { Signalbox } from '../../client/signalbox.ts';
import { loadConfig } from '../../config/config.ts';
import type { Options } from '../../config/options.ts';
import { processSources } from '../../config/process.ts';
import type { Lookup } from './words.ts';

/** The newest tasks that are offered. */
const TASKS = 50;

/** Looks them up. Throws what connecting throws. */
export async function lookUpValues(
  lookup: Lookup,
  { flags, connect }: { readonly flags: Options; readonly connect: () => Promise<Signalbox> },
): Promise<string[]> {
  if (lookup === 'presets') return Object.keys(loadConfig({ ...processSources(), flags }).presets);
  await using box = await connect();
  if (lookup === 'tasks') return (await box.list({ limit: TASKS })).map(({ id }) => id);
  if (lookup === 'workers') return (await box.status()).workers.map(({ name }) => name);
  return [...new Set(['max_parallel_runners', ...Object.keys(await box.limits())])];
}
