/** The pictures: every view in every look. */

import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Fleet } from './fleet.ts';
import type { Scene } from './scene.ts';

/** What a picture is taken with. */
export const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: { width: 1360, height: 860 }, colorScheme: 'light' },
  dark: { viewport: { width: 1360, height: 860 }, colorScheme: 'dark' },
  narrow: { viewport: { width: 390, height: 844 }, colorScheme: 'light', isMobile: true, hasTouch: true },
};

interface Shot {
  readonly name: string;
  readonly path: string;
  /** What is there once the view is complete. */
  readonly ready: string;
  readonly act?: (page: Page) => Promise<void>;
}

interface Shooting {
  readonly browser: Browser;
  readonly fleet: Fleet;
  readonly scene: Scene;
  readonly look: string;
  readonly out: string;
}

/** Takes all pictures of one look; answers their files. */
export async function shoot({ browser, fleet, scene, look, out }: Shooting): Promise<string[]> {
  const options = LOOKS[look];
  if (options === undefined) throw new Error(`There is no look ${look}: one of ${Object.keys(LOOKS).join(', ')}.`);
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
  const files: string[] = [];
  try {
    for (const shot of shotsOf(scene)) {
      const page = await context.newPage();
      const file = `${shot.name}-${look}.png`;
      await page.goto(fleet.url + shot.path);
      await page.locator(shot.ready).first().waitFor();
      await shot.act?.(page);
      // What is drawn on a canvas comes a frame later.
      await page.waitForTimeout(900);
      await page.screenshot({ path: join(out, file) });
      files.push(file);
      await page.close();
    }
  } finally {
    await context.close();
  }
  return files;
}

function shotsOf({ succeeded, failed, running, blocked }: Scene): Shot[] {
  const tab = (name: string) => async (page: Page) => {
    await page.getByRole('tab', { name }).click();
  };
  return [
    { name: 'now', path: '/', ready: '.now-columns .row' },
    {
      name: 'timeline',
      path: '/timeline',
      ready: '.board-drawing canvas',
      act: async (page) => {
        await page.getByRole('button', { name: '5 m', exact: true }).click();
        await page.keyboard.press('+');
        await page.locator('h1').click();
      },
    },
    { name: 'hot', path: '/hot', ready: '.tree-map canvas' },
    { name: 'tasks', path: '/tasks', ready: '.task-table tbody tr' },
    { name: 'limits', path: '/limits', ready: '.limit-row' },
    { name: 'task-running', path: `/tasks/${running}`, ready: '.log-line' },
    { name: 'task-blocked', path: `/tasks/${blocked}`, ready: '.chain-node' },
    { name: 'task-failed', path: `/tasks/${failed}`, ready: '.log-line' },
    { name: 'task-diff', path: `/tasks/${succeeded}`, ready: '.section-tabs', act: tab('Diff') },
    { name: 'task-history', path: `/tasks/${blocked}`, ready: '.section-tabs', act: tab('History') },
    { name: 'help', path: '/', ready: '.now-columns', act: async (page) => await page.keyboard.press('?') },
    {
      name: 'confirm',
      path: `/tasks/${running}`,
      ready: '.task-actions',
      act: async (page) => await page.locator('.task-actions .button').click(),
    },
  ];
}
