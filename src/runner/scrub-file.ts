/** Takes the values of secrets out of a file that is kept: a diff has whatever a step wrote into its files. */

import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Scrubber } from './supervisor/scrubber.ts';

/**
 * Masks the secrets in a file; answers whether there were any. A file without them stays as it is, byte for byte. In a
 * patch a masked line that was added still applies. What git has packed into a binary patch is not looked into.
 */
export async function scrubFile(file: string, secrets: readonly string[]): Promise<boolean> {
  if (secrets.length === 0) return false;
  const scrubber = new Scrubber(secrets);
  const draft = `${file}.scrubbed`;
  try {
    await pipeline(
      createReadStream(file),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) yield scrubber.push(chunk);
        yield scrubber.end();
      },
      createWriteStream(draft, { mode: 0o600 }),
    );
    if (scrubber.hasFound) await rename(draft, file);
    return scrubber.hasFound;
  } finally {
    await rm(draft, { force: true });
  }
}
