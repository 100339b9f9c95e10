/** The version of this package. */

import { createRequire } from 'node:module';

/** From the package's own file, which is one or two folders further up once it is built. */
export function version(): string {
  const { version: number } = createRequire(import.meta.url)('signalbox/package.json') as { version: string };
  return number;
}
