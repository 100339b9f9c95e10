/** The tools by which an interactive agent holds claims while it edits a checkout by itself. */

import { z } from 'zod';
import type { HeldResource } from '../../client/held.ts';
import type { HoldClaims } from '../../client/hold-claims.ts';
import { SignalboxError } from '../../errors.ts';
import { readBy, strict } from '../../invalid.ts';
import * as fields from '../../task/fields.ts';
import { askForMore } from '../claim/ask.ts';
import type { Tool, ToolAnswer } from './tool.ts';

/** The longest that a claim may wait in line. */
const LONGEST_WAIT_MS = 600_000;

const { write, read, resources } = fields.claims.shape;

const claimInput = strict({
  repo: z
    .string()
    .min(1)
    .default('.')
    .describe('The repository: an address, or a path of a checkout; default: the folder that the server runs in.'),
  write,
  read,
  branch: fields.branch.exactOptional().describe('A branch that nobody else may work on meanwhile.'),
  resources,
  waitMs: z
    .int()
    .min(0)
    .max(LONGEST_WAIT_MS)
    .default(0)
    .describe(
      'How long to wait in line, in ms; 0: not at all. Only the first claim waits, more is had at once or not.',
    ),
});

const claim: Tool = {
  name: 'claim',
  title: 'Claim files or a branch',
  description:
    'Takes paths (globs are widened to their folder), a branch or named resources for this session, so that no task, program or ' +
    'other session changes them meanwhile. Call it before you change files. If others hold them you are told who and since ' +
    'when, and nothing is claimed. May be called again for more. All is held until release, or until this session ends.',
  input: claimInput,
  readOnly: false,
  run: async (args, world, signal) => {
    const { waitMs, ...asked } = readBy(claimInput, args, { what: 'the arguments' });
    if ([...asked.write, ...asked.read, ...asked.resources].length === 0 && asked.branch === undefined)
      throw new SignalboxError('INVALID', 'There is nothing to claim.', {
        field: 'write',
        next: 'Name the paths in `write` or `read`, a `branch`, or `resources`.',
      });
    if (world.socket !== undefined) return await claimForRun(world.socket, asked);
    const session = await world.session();
    const { holder, held, slots, wasLost } = await session.claim(asked, { waitMs, signal });
    const warning = wasLost
      ? ' The lease had been lost since the last claim: look whether others have changed these files meanwhile.'
      : '';
    return { value: { holder, held, slots, wasLost }, text: `You hold ${listText(held)}.${warning}` };
  },
};

/** Inside a step: waiting while holding could go round, so it becomes growth of the run, which knows whose turn it is. */
async function claimForRun(socket: string, asked: HoldClaims): Promise<ToolAnswer> {
  const { branch, write: writes = [], read: reads = [], resources: counted = [] } = asked;
  if (branch !== undefined || counted.length > 0)
    throw new SignalboxError('INVALID', 'Inside a step of a task only paths can be claimed.', {
      field: branch === undefined ? 'resources' : 'branch',
      next: 'Name them in the `claims` of the task.',
    });
  await askForMore(socket, { write: writes, read: reads });
  const claimed = { write: writes, read: reads };
  return { value: { claimed }, text: `The task of this step holds ${[...writes, ...reads].join(', ')} as well.` };
}

const release: Tool = {
  name: 'release',
  title: 'Give claims back',
  description:
    'Gives back all that this session holds; whoever waits for it is served at once. Call it when your changes are committed, or given up.',
  input: strict({}),
  readOnly: false,
  run: async (args, world) => {
    readBy(release.input, args, { what: 'the arguments' });
    if (world.socket !== undefined) throw endsWithTheRun();
    const released = await (await world.session()).release();
    return {
      value: { released },
      text: released.length === 0 ? 'Nothing was held.' : `Released ${listText(released)}.`,
    };
  },
};

function endsWithTheRun(): SignalboxError {
  return new SignalboxError('STATE', 'Inside a step claims belong to the task and end with its run.', {
    next: 'End the step; nothing is to be released.',
  });
}

/** The tools. */
export const CLAIM_TOOLS: readonly Tool[] = [claim, release];

function listText(held: readonly HeldResource[]): string {
  return held.map(({ resource, mode }) => (mode === 'read' ? `${resource} (read)` : resource)).join(', ');
}
