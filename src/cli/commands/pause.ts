/** `signalbox pause` and `signalbox resume`: no more tasks are started for a while. */

import { command } from '../command.ts';

/** Stops the starting of tasks. */
export const pause = command({
  name: 'pause',
  summary: 'start no more tasks until `resume`',
  details: `What runs goes on to its end. What waits keeps its place in line; a task that had all it claims reserved, but
had not started, goes back to its place. \`status\` and \`explain\` say that the queue is paused.`,
  json: '{paused:true,changed}, where changed is false if it was paused already',
  examples: ['signalbox pause', 'signalbox pause --json'],
  run: async ({ out, connect }) => {
    await using box = await connect();
    const changed = await box.pause();
    out.data({ paused: true, changed }, () => (changed ? 'paused' : 'paused already'));
    return undefined;
  },
});

/** Lets the queue go on. */
export const resume = command({
  name: 'resume',
  summary: 'go on after `pause`',
  json: '{paused:false,changed}, where changed is false if it was not paused',
  examples: ['signalbox resume'],
  run: async ({ out, connect }) => {
    await using box = await connect();
    const changed = await box.resume();
    out.data({ paused: false, changed }, () => (changed ? 'resumed' : 'not paused'));
    return undefined;
  },
});
