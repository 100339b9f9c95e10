/** What requests hold: addresses, queries and bodies. */

import { z } from 'zod';
import { checked, readBy, strict } from '../../invalid.ts';
import { repo } from '../../task/fields.ts';
import { plainData } from '../../task/plain-data.ts';
import { taskInput } from '../../task/schema.ts';
import { STATES } from '../../task/states.ts';

/** A whole number as the text of a query. */
function number(min: number, max: number): z.ZodType<number, string> {
  return z.string().transform((given, context) => {
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    if (value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `must be a whole number from ${min} to ${max}` });
    return z.NEVER;
  });
}

/** A time as the text of a query. Gives ms since the epoch. */
const time = z.string().transform((given, context) => {
  const value = /^\d{4}-\d\d-\d\dT/.test(given) ? Date.parse(given) : Number.NaN;
  if (Number.isFinite(value)) return value;
  context.addIssue({ code: 'custom', message: 'must be a time such as 2026-01-31T12:00:00Z' });
  return z.NEVER;
});

const cursor = checked((given) => (/^\d{1,15}$/.test(given) ? undefined : 'must be the `next` of a page')).transform(
  Number,
);

/** A task by its id. */
export const taskParams = strict({ id: z.string().describe('The task’s id.') });

/** An artifact of a task by its place in the task’s list. */
export const artifactParams = strict({
  id: z.string().describe('The task’s id.'),
  index: number(0, 10_000).describe('Its place in `artifacts`, from 0.'),
});

/** Which tasks are listed. */
export const listQuery = strict({
  state: z.enum(STATES).exactOptional().describe('Only tasks in this state.'),
  owner: z.string().exactOptional().describe('Only tasks of this owner.'),
  repo: repo.exactOptional().describe('Only tasks on this repository: an address, or an absolute path.'),
  q: z
    .string()
    .max(200)
    .exactOptional()
    .describe('Only tasks with this in title, branch, owner, spec or id; capitals and small letters are one.'),
  limit: number(1, 200).exactOptional().describe('How many there are on a page; default 50.'),
  cursor: cursor.exactOptional().describe('The `next` of the page before.'),
});

/** Of one repository or all. */
export const repoQuery = strict({
  repo: repo.exactOptional().describe('Only this repository: an address, or an absolute path.'),
});

/** What was waited for. */
export const hotQuery = strict({
  repo: repo.exactOptional().describe('Only this repository: an address, or an absolute path.'),
  limit: number(1, 1_000).exactOptional().describe('How many resources; default 20.'),
});

/** Which time a timeline shows. */
export const timelineQuery = strict({
  since: time.exactOptional().describe('Default: an hour before `until`.'),
  until: time.exactOptional().describe('Default: now.'),
});

/** How a log is read. */
export const logsQuery = strict({
  follow: z.enum(['true', 'false']).exactOptional().describe('Whether to send on what comes, as events.'),
  run: number(1, 1_000_000).exactOptional().describe('Which run; default: the newest.'),
});

/** One task or a list. */
export const taskBody = z.union([taskInput, z.array(taskInput).min(1)]);

/** Limits by name; null takes one away. */
export const limitsBody = z.record(z.string(), z.union([z.number(), z.null()]));

/** Reads limits. Throws INVALID, naming the first that is wrong. */
export function readLimitsBody(given: unknown): Readonly<Record<string, number | null>> {
  return readBy(limitsBody, plainData(given), { what: 'the body' });
}
