/** The only reader of `process.env`. */

import type { Sources } from './config.ts';

/** The environment and folder of this process, for `loadConfig` and for what passes an environment on. */
export function processSources(): Pick<Sources, 'env' | 'cwd'> {
  return { env: process.env, cwd: process.cwd() };
}
