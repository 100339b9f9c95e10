/** Adds one to a number in a file, many times, under a process lock: `<folder> <file> <times>`. */

import { readFile, writeFile } from 'node:fs/promises';
import { withProcessLock } from '../../../../src/git/process-lock.ts';

const [folder = '', file = '', times = '0'] = process.argv.slice(2);
for (let n = 0; n < Number(times); n++) {
  await withProcessLock(folder, async () => {
    const before = Number(await readFile(file, 'utf8'));
    await writeFile(file, String(before + 1));
  });
}
