/** A dashboard in this process over a queue of its own, spoken to by HTTP. */

import {
  createEvents,
  createWorker,
  type Handler,
  type Options,
  Signalbox,
  type TaskInput,
  type Worker,
} from '../../../src/index.ts';
import { type Dashboard, type DashboardOptions, startDashboard } from '../../../src/server/dashboard.ts';
import { createLogger } from '../../../src/telemetry/log.ts';
import { freshQueueName, testRedisUrl } from '../../support/redis.ts';
import { until } from '../../support/system/until.ts';

export const WRITE = 'token-to-write';
export const READ = 'token-to-read';

/** What came back. */
export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- asserted by each test
  readonly json: any;
}

/** How to ask. */
export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A queue with a dashboard; workers where a test wants them. */
export class DashboardWorld implements AsyncDisposable {
  readonly options: Options;
  readonly box: Signalbox;
  readonly dashboard: Dashboard;
  readonly #workers: Worker[] = [];

  private constructor(options: Options, box: Signalbox, dashboard: Dashboard) {
    this.options = options;
    this.box = box;
    this.dashboard = dashboard;
  }

  static async open(more: Partial<DashboardOptions> = {}): Promise<DashboardWorld> {
    const options: Options = { redisUrl: testRedisUrl(), queue: freshQueueName(), leaseTtl: '5s' };
    const dashboard = await startDashboard({
      ...options,
      port: 0,
      logger: createLogger({ level: 'silent' }),
      ...more,
    });
    return new DashboardWorld(options, await Signalbox.connect(options), dashboard);
  }

  get url(): string {
    return this.dashboard.url;
  }

  /** Asks; below /api/v1 unless the path begins with `//`. */
  async ask(path: string, { method = 'GET', body, token = null, headers = {} }: Ask = {}): Promise<Got> {
    const address = path.startsWith('//') ? `${this.url}${path.slice(1)}` : `${this.url}/api/v1${path}`;
    const response = await fetch(address, {
      method,
      redirect: 'manual',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json(): unknown {
        return JSON.parse(text) as unknown;
      },
    };
  }

  /** Starts a worker in this process. */
  async work(handlers: Record<string, Handler>, more: Partial<Options> = {}): Promise<Worker> {
    const worker = await createWorker({ ...this.options, ...more, handlers, events: createEvents() });
    this.#workers.push(worker);
    return worker;
  }

  /** Submits a task; answers its id. */
  async submit(input: Partial<TaskInput> = {}): Promise<string> {
    const [accepted] = await this.box.submit(task(input));
    return accepted?.id ?? '';
  }

  async reached(id: string, state: string): Promise<void> {
    await until(`${id} is ${state}`, async () => (await this.box.get(id)).state === state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => await worker.stop({ drainMs: 0 })));
    await this.dashboard.stop();
    await this.box.close();
  }
}

/** A task that a handler does. */
export function task(more: Partial<TaskInput> = {}): TaskInput {
  return { title: 'a task', repo: 'https://git.example.com/acme/app', implement: [{ handler: 'work' }], ...more };
}

/** A handler that runs until the test lets it go. */
export function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const handler: Handler = async (_task, { signal }) => {
    await Promise.race([opened, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
  };
  return { handler, open: () => open() };
}
