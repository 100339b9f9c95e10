/** Opens a mirror and says what it got: `<url> <dataDir>`. With `hold`, takes its lock and never gives it back. */

import { createGit } from '../../../../src/git/git.ts';
import { createMirrors } from '../../../../src/git/mirror.ts';
import { withProcessLock } from '../../../../src/git/process-lock.ts';

const [url = '', dataDir = '', hold] = process.argv.slice(2);
const git = createGit({ env: process.env });
const mirror = await createMirrors({ git, dataDir }).open({ key: 'raced', url });
await mirror.fetch();
process.stdout.write(`${JSON.stringify({ dir: mirror.dir, main: await mirror.resolve('refs/heads/main') })}\n`);
if (hold !== undefined) {
  await withProcessLock(`${mirror.dir}.lock`, async ({ token }) => {
    process.stdout.write(`${token}\n`);
    await new Promise((resolve) => setInterval(resolve, 1 << 30));
  });
}
