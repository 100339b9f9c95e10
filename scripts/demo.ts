/** The demo: real tasks on this project’s own history, in two worker processes, judged by what the remote holds. */

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { finding } from './demo/check.ts';
import { play } from './demo/play.ts';
import { renderReport, reportJson } from './demo/report.ts';
import { leftovers } from './sandbox/leftovers.ts';
import { openSandbox } from './sandbox/sandbox.ts';
import { stopSignal } from './sandbox/stop-signal.ts';

const HELP = `usage: npm run demo [-- --json] [-- --keep]

Runs about fifteen tasks that change this project's own files, on a copy of its history, in two worker processes.
Some want the same branch or the same files and wait for each other; the others run side by side. At the end it
compares the remote with what should be there.

  --json  prints one JSON value on stdout, and messages on stderr
  --keep  leaves the remote, the logs and the artifacts in the temporary folder, whose path it prints
  --help  shows this

Uses a private Redis, or a queue of its own in the Redis that REDIS_URL names. Nothing is left running.
Exit codes: 0 all checks hold, 1 one does not or the demo failed, 2 wrong usage, 130 stopped.
`;

const WIDTH = 110;

async function main(options: { readonly json: boolean; readonly keep: boolean }): Promise<number> {
  const { json, keep } = options;
  const say = (line: string): void => void (json ? process.stderr : process.stdout).write(`${line}\n`);
  using stopped = stopSignal();
  const sandbox = await openSandbox({ name: 'demo', redisUrl: process.env['REDIS_URL'] || undefined, keep });
  const root = fileURLToPath(new URL('..', import.meta.url));
  const redraw = !json && process.stdout.isTTY;
  try {
    const report = await play({ sandbox, root, say, redraw, signal: stopped.signal });
    await sandbox.close();
    const left = finding('everything that was started is stopped and taken away', await leftovers(sandbox));
    const complete = { ...report, findings: [...report.findings, left] };
    if (json) process.stdout.write(`${JSON.stringify(reportJson(complete), null, 2)}\n`);
    else say(['', ...renderReport(complete, Math.min(process.stdout.columns ?? WIDTH, WIDTH))].join('\n'));
    if (keep) say(`kept: ${sandbox.dir}`);
    return complete.findings.every(({ ok }) => ok) ? 0 : 1;
  } catch (error) {
    say(stopped.signal.aborted ? 'stopped' : `the demo failed: ${(error as Error).message}`);
    return stopped.signal.aborted ? 130 : 1;
  } finally {
    await sandbox.close();
  }
}

function readOptions(): { json: boolean; keep: boolean; help: boolean } | undefined {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { json: flag, keep: flag, help: flag } }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return undefined;
  }
}

const options = readOptions();
if (options === undefined) process.exitCode = 2;
else if (options.help) process.stdout.write(HELP);
else process.exitCode = await main(options);
