/** The published JSON Schema of a task file, made from the one schema. */

import { z } from 'zod';
import { taskInput } from './schema.ts';

/** JSON Schema (draft 2020-12) of one submitted task. Rules between fields and of spelling are checked at submission. */
export function taskJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(taskInput, { io: 'input', target: 'draft-2020-12' });
  return { ...schema, title: 'Signalbox task' };
}
