/** Reads a task file: YAML, of which JSON is a part. */

import { parse, YAMLParseError } from 'yaml';
import { invalidError } from '../invalid.ts';
import { MAX_TASK_BYTES } from './plain-data.ts';

const MAX_FILE_BYTES = 8 * MAX_TASK_BYTES;

/** The value in a task file, for `parseTasks`. Throws `INVALID` with the line of a mistake. */
export function readTaskText(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    throw invalidError({ field: '', message: 'the file is larger than 8 MiB' });
  try {
    return parse(text, { schema: 'core', maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    const reason = error instanceof YAMLParseError ? error.message.split('\n')[0] : String(error);
    throw invalidError({ field: '', message: `the file is neither YAML nor JSON: ${reason}` });
  }
}
