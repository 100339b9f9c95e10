/** A fleet with tokens, a repository whose tasks wait at gates, and visitors of the page. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser } from '../../scripts/screenshots/browser.ts';
import { type Fleet, startFleet } from '../../scripts/screenshots/fleet.ts';
import { makeShop } from '../../scripts/screenshots/shop.ts';
import type { TaskInput } from '../../src/task/schema.ts';

export const TOKEN = 'a-token-that-may-write';
export const READ_TOKEN = 'a-token-that-may-look';

/** What a browser complained about. */
export interface Complaints {
  readonly csp: string[];
  readonly errors: string[];
  readonly dialogs: string[];
}

/** Everything that a test needs. */
export class Stage implements AsyncDisposable {
  readonly fleet: Fleet;
  readonly complaints: Complaints = { csp: [], errors: [], dialogs: [] };
  readonly #browser: Browser;
  readonly #repo: string;
  readonly #contexts: BrowserContext[] = [];

  private constructor(fleet: Fleet, browser: Browser, repo: string) {
    this.fleet = fleet;
    this.#browser = browser;
    this.#repo = repo;
  }

  static async open(): Promise<Stage> {
    const browser = await startBrowser();
    try {
      const fleet = await startFleet({ workers: 3, concurrency: 2, token: TOKEN, readToken: READ_TOKEN });
      const repo = join(fleet.dir, 'acme', 'shop.git');
      await makeShop(repo);
      await mkdir(join(fleet.dir, 'gates'));
      return new Stage(fleet, browser, repo);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** A visitor who has not signed in. */
  async stranger(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ baseURL: this.fleet.url, reducedMotion: 'reduce', ...options });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.on('console', (message) => {
      const text = message.text();
      if (/content security policy/i.test(text)) this.complaints.csp.push(text);
    });
    page.on('pageerror', (error) => this.complaints.errors.push(String(error)));
    page.on('dialog', (dialog) => {
      this.complaints.dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    return page;
  }

  /** A visitor who has signed in by the form, and is at a view. */
  async visitor(
    path: string,
    { token = TOKEN, ...options }: BrowserContextOptions & { token?: string } = {},
  ): Promise<Page> {
    const page = await this.stranger(options);
    await page.goto('/');
    await signIn(page, token);
    // Going elsewhere before that would end the signing in.
    await page.locator('.header').waitFor();
    if (path !== '/') await page.goto(path);
    return page;
  }

  /** Queues a task; answers its id. */
  async submit(task: Partial<TaskInput> & { readonly title: string; readonly branch: string }): Promise<string> {
    const defaults = { repo: this.#repo, implement: ['true'], attempts: 1, owner: 'tester' };
    const { tasks } = await this.fleet.ask<{ tasks: { id: string }[] }>('POST', '/tasks', { ...defaults, ...task });
    return tasks[0]?.id ?? '';
  }

  /** A step that goes on until its gate is opened. */
  waitAt(gate: string): string {
    return `while [ ! -e '${join(this.fleet.dir, 'gates', gate)}' ]; do sleep 0.05; done`;
  }

  async open(gate: string): Promise<void> {
    await writeFile(join(this.fleet.dir, 'gates', gate), '');
  }

  /** Ends what visitors have open. */
  async leave(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await this.fleet[Symbol.asyncDispose]();
  }
}

/** Fills in the form that stands in the page's place. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.locator('input[type=password]').fill(token);
  await page.locator('button[type=submit], input[type=submit]').click();
}
