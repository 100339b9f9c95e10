/** `signalbox claims release`: gives up paths that are kept until a branch is merged. */

import { command } from '../command.ts';

/** Ends kept claims by the name of their task, branch or runner. */
export const release = command({
  name: 'release <name>',
  summary: 'give up paths that are kept until a branch is merged',
  details: `The name is a task's id, a branch, or a runner's id as \`claims\` shows it. It ends what tasks with
\`until: merged\` have kept after their end; what a task holds while it runs ends with it, or by \`signalbox cancel\`.`,
  json: '{released:[{runnerId,taskId,branch}]}',
  examples: ['signalbox claims release ID', 'signalbox claims release task/login-rate-limit'],
  run: async ({ args, out, connect }) => {
    await using box = await connect();
    const released = await box.releaseKept(args[0] ?? '');
    out.data({ released }, () =>
      released.map(({ branch, taskId }) => `${branch}: released what ${taskId ?? 'its task'} kept`).join('\n'),
    );
    return undefined;
  },
});
