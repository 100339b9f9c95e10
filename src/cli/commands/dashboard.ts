/** `signalbox dashboard`: the page, the HTTP API and live events, in the foreground. */

import { DEFAULT_HOST, DEFAULT_PORT, startDashboard } from '../../server/dashboard.ts';
import { command } from '../command.ts';
import { listenForSignals, untilAborted } from '../up/signals.ts';
import { wholeNumber } from '../values.ts';

interface DashboardFlags {
  readonly port: number;
  readonly host: string;
}

/** Serves the dashboard until it is signalled. */
export const dashboard = command<DashboardFlags>({
  name: 'dashboard',
  summary: 'serve the web page, the HTTP API and metrics of a queue, in the foreground',
  details: `It needs nothing but the queue's Redis: any number of dashboards may run, on any machine. Logs and artifacts
that are on other machines come through their workers. It listens on this machine alone unless --host names another
address, which needs a token: SIGNALBOX_TOKEN, with which one may steer, or SIGNALBOX_READ_TOKEN, to look only.`,
  json: '{ready:true,url,port}, once it answers',
  examples: [
    'signalbox dashboard',
    'signalbox dashboard --port 8080',
    'SIGNALBOX_TOKEN=a-long-secret signalbox dashboard --host 0.0.0.0',
  ],
  options: (made) =>
    made
      .option('--port <port>', 'the port; 0 takes any that is free', wholeNumber(0, 65_535), DEFAULT_PORT)
      .option('--host <address>', 'the address to listen on', DEFAULT_HOST),
  run: async ({ options, flags, out }) => {
    const signals = listenForSignals();
    const served = await startDashboard({ ...flags, port: options.port, host: options.host });
    const { url, port } = served;
    out.data({ ready: true, url, port }, () => `${out.paint('green', 'ready')}: ${url}`);
    await untilAborted(signals.first);
    signals.onSecond(() => process.exit(1));
    await served.stop();
    return undefined;
  },
});
