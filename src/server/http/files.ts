/** Files of tasks as answers. */

import { Readable } from 'node:stream';
import { partsOf, type TaskFile } from '../../client/task-files.ts';

/** Of what tasks have made a browser runs nothing and shows nothing as its own, however it came to open it. */
export const SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'";

/** The content of a file, which is closed however its reading ends. */
export function contentOf(file: TaskFile): Readable {
  return Readable.from(closing(file), { objectMode: false });
}

async function* closing(file: TaskFile): AsyncGenerator<Buffer, void> {
  try {
    yield* partsOf(file);
  } finally {
    await file.close();
  }
}
