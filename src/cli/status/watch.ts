/** Shows the state of a queue until the user has seen enough. */

import { emitKeypressEvents } from 'node:readline';
import type { Signalbox } from '../../client/signalbox.ts';
import type { Status } from '../../client/views.ts';
import { readError } from '../errors.ts';
import { countText } from '../format.ts';
import type { Output } from '../output.ts';
import type { Paint } from '../paint.ts';
import { columnsOf, fit } from '../view/columns.ts';
import { openLiveView } from '../view/live-view.ts';
import { LineReader } from '../view/read-lines.ts';
import { taskLines } from '../view/task-line.ts';
import { countsLine, statusPage } from './page.ts';
import { titlesOf } from './titles.ts';

/** Draws the page until q, Ctrl-C or a signal. Throws what the first look throws. */
export async function watchStatus(box: Signalbox, out: Output): Promise<void> {
  const page = async (): Promise<string> => {
    const status = await box.status();
    const titles = await titlesOf(box, status.runners);
    return statusPage({ status, titles, paint: out.paint, width: out.width });
  };
  const enough = untilEnough();
  try {
    if (out.isTerminal('stdout')) await watchLive(box, { out, enough: enough.promise });
    else await watchLines(box, { page, out, enough: enough.promise });
  } finally {
    enough.stop();
  }
}

interface Watch {
  readonly page: () => Promise<string>;
  readonly out: Output;
  readonly enough: Promise<void>;
}

async function watchLive(box: Signalbox, { out, enough }: Omit<Watch, 'page'>): Promise<void> {
  const { paint } = out;
  let hint = ['', paint('dim', 'q ends')];
  const reader = new LineReader(box);
  const view = openLiveView({
    stream: process.stdout,
    render: async ({ width, height }) => {
      try {
        const [status, tasks] = await Promise.all([box.status(), reader.fleet()]);
        const head = [countsText(status, { width, paint }), ...workersText(status, { width, paint })];
        const room = { width, paint, height: height - head.length - 3 };
        const lines = tasks.length === 0 ? [paint('dim', 'Nothing runs or waits.')] : taskLines(tasks, room);
        return [...head, '', ...lines, ...hint].slice(-height);
      } catch (error) {
        const told = out.describe(readError(error)).split('\n');
        return [...told.map((line) => fit(line, width).trimEnd()), ...hint];
      }
    },
  });
  const stop = await box.watch(view.refresh);
  await enough;
  hint = [];
  stop();
  await view.close();
}

interface Width {
  readonly width: number;
  readonly paint: Paint;
}

/** Painted if it fits; else without styles, so that it can be cut. */
function countsText(status: Status, { width, paint }: Width): string {
  const painted = countsLine({ status, paint });
  return columnsOf(painted) <= width
    ? painted
    : fit(countsLine({ status, paint: (_style, text) => text }), width).trimEnd();
}

function workersText({ workers }: Status, { width, paint }: Width): string[] {
  if (workers.length === 0)
    return [paint('yellow', fit('No worker is running. Start one with `signalbox worker`.', width).trimEnd())];
  const busy = workers.map(({ name, running, concurrency }) => `${name} ${running}/${concurrency}`);
  return [paint('dim', fit(`${countText(workers.length, 'worker')}: ${busy.join(' · ')}`, width).trimEnd())];
}

/** Where there is no terminal: a page whenever it differs from the one before, leaving the clocks aside. */
async function watchLines(box: Signalbox, { page, out, enough }: Watch): Promise<void> {
  let last = '';
  const print = async (): Promise<void> => {
    const now = await page();
    const [counts = ''] = now.split('\n');
    if (counts !== last) out.raw(`${now}\n\n`);
    last = counts;
  };
  await print();
  const stop = await box.watch(() => void print().catch((error: unknown) => out.note(out.describe(readError(error)))));
  await enough;
  stop();
}

/** Ends at q, Ctrl-C or a signal that asks the process to end. */
function untilEnough(): { readonly promise: Promise<void>; readonly stop: () => void } {
  const { stdin } = process;
  let end: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    end = resolve;
  });
  const key = (_text: string | undefined, { name, ctrl }: { name?: string; ctrl?: boolean }): void => {
    if (name === 'q' || name === 'escape' || (ctrl === true && name === 'c')) end();
  };
  const { isTTY } = stdin as { isTTY?: boolean };
  if (isTTY === true) {
    emitKeypressEvents(stdin);
    stdin.setRawMode(true);
    stdin.on('keypress', key);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  return {
    promise,
    stop: () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, end);
      if (isTTY !== true) return;
      stdin.removeListener('keypress', key);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
