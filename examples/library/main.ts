/** A worker with handlers, and tasks for it. Runs in a checkout of the project; see ../try.sh. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWorker, type Handler, Signalbox } from 'signalbox';

const QUEUE = 'library-example';

/** Puts a line at the head of each file of a folder. */
const addHeader: Handler = async (task, { input, signal, workspace }) => {
  const { folder, header } = input as { readonly folder: string; readonly header: string };
  const dir = join(await workspace(), folder);
  for (const name of await readdir(dir)) {
    // The lease was lost, somebody cancelled, or the worker is stopped.
    signal.throwIfAborted();
    const file = join(dir, name);
    await writeFile(file, `// ${header}\n${await readFile(file, 'utf8')}`);
  }
  console.log(`${task.title}: done`);
};

/** Counts the files of all folders, in a file that the task has not claimed: it asks for it while it runs. */
const countFiles: Handler = async (_task, { claim, workspace }) => {
  const root = await workspace();
  await claim('FILES.md');
  const folders = (await readdir(root, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.'),
  );
  const lines = await Promise.all(
    folders.map(async ({ name }) => `- ${name}: ${(await readdir(join(root, name))).length}`),
  );
  await writeFile(join(root, 'FILES.md'), `${lines.sort().join('\n')}\n`);
};

const worker = await createWorker({
  queue: QUEUE,
  concurrency: 4,
  logLevel: 'warn',
  handlers: { addHeader, countFiles },
});
try {
  await using signalbox = await Signalbox.connect({ queue: QUEUE });
  const accepted = await signalbox.submit([
    ...['server', 'client'].map((folder) => ({
      title: `Header in ${folder}`,
      repo: '.',
      branch: `headers/${folder}`,
      claims: { write: [`${folder}/**`] },
      implement: [{ handler: 'addHeader', input: { folder, header: 'MIT licence' } }],
    })),
    { title: 'Count the files', repo: '.', branch: 'count', implement: [{ handler: 'countFiles' }] },
  ]);
  for (const { id } of accepted) {
    const { title, state, commit } = await signalbox.waitFor(id);
    console.log(`${title}: ${state} ${commit ?? ''}`);
  }
  await signalbox.hold({ repo: '.', write: ['server/**'] }, async () => {
    console.log('no task works on server/ now');
  });
} finally {
  await worker.stop();
}
