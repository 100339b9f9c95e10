import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { READ_TOKEN, Stage, signIn, TOKEN } from './support.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});

afterEach(async () => {
  await stage.leave();
  expect(stage.complaints).toEqual({ csp: [], errors: [], dialogs: [] });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const panel = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const row = (page: Page, name: string, title: string) =>
  panel(page, name).locator('.row', { has: page.locator('.row-main > .task-link', { hasText: title }) });

describe('without a token', () => {
  it('the page is refused with a form, the API at all, and both are there after signing in', async () => {
    const page = await stage.stranger();
    const refused = await page.goto('/tasks');
    expect(refused?.status()).toBe(401);
    expect(await page.locator('#page').count()).toBe(0);
    expect((await page.request.get('/api/v1/status')).status()).toBe(401);
    await signIn(page, 'not-the-right-one');
    expect(await page.locator('#page').count()).toBe(0);
    await signIn(page, TOKEN);
    await page.locator('.tabs.is-header').waitFor();
    expect((await page.request.get('/api/v1/status')).status()).toBe(200);
    const cookies = await page.context().cookies();
    expect(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite])).toEqual([[true, 'Strict']]);
    expect(JSON.stringify(cookies)).not.toContain(TOKEN);
  });

  it('that may write, the page shows everything and lets nothing be changed', async () => {
    const id = await stage.submit({ title: 'Looked at', branch: 'look', implement: [stage.waitAt('look')] });
    const page = await stage.visitor(`/tasks/${id}`, { token: READ_TOKEN });
    await page.getByText('Read only').waitFor();
    await page.getByRole('heading', { name: 'Looked at' }).waitFor();
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    await page.goto('/limits');
    await page.getByText('max_parallel_runners').waitFor();
    expect(await page.locator('form').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
    await stage.open('look');
  });
});

describe('the page, over a fleet that works', () => {
  it('sees a conflict appear and resolve, without being loaded anew', async () => {
    const page = await stage.visitor('/');
    await panel(page, 'Running').waitFor();
    const holder = await stage.submit({
      ...{ title: 'Holds all sources', branch: 'holder', claims: { write: ['src/**'] } },
      implement: [stage.waitAt('conflict')],
    });
    await row(page, 'Running', 'Holds all sources').waitFor();
    await stage.submit({ title: 'Wants one file', branch: 'wants', claims: { write: ['src/auth/login.ts'] } });
    const waiting = row(page, 'Blocked', 'Wants one file');
    await waiting.waitFor();
    const words = (await waiting.innerText()).replace(/\s+/g, ' ');
    expect(words).toContain('waits for path src held by Holds all sources');
    expect(words).toContain('#1');

    const timeline = await page.context().newPage();
    await timeline.goto('/timeline');
    await timeline.locator('.labels').getByText('Wants one file').waitFor();
    await timeline.getByRole('button', { name: 'As a table' }).click();
    await timeline.getByRole('row', { name: /Holds all sources/ }).waitFor();

    await stage.open('conflict');
    await waiting.waitFor({ state: 'detached' });
    await page.goto('/tasks?q=wants');
    await page.getByRole('row', { name: /Succeeded Wants one file/ }).waitFor();
    await page.goto(`/tasks/${holder}`);
    await page.getByRole('tab', { name: 'History' }).click();
    await page.locator('.history').getByText('Running').waitFor();
  });

  it('lets the timeline be dragged into the past, shows what the pointer is on, and opens it', async () => {
    const id = await stage.submit({ title: 'On the timeline', branch: 'lane', implement: [stage.waitAt('lane')] });
    const page = await stage.visitor('/timeline');
    const live = page.getByRole('button', { name: 'Live', exact: true });
    await page.locator('.board-drawing canvas').waitFor();
    await page.getByRole('button', { name: 'As a table' }).click();
    await page.getByRole('row', { name: /On the timeline/ }).waitFor();
    await page.getByRole('button', { name: 'As a table' }).click();
    const drawing = page.locator('.board-drawing');
    await drawing.locator('canvas').waitFor();
    const box = await drawing.boundingBox();
    if (box === null) throw new Error('the timeline is not there');
    const from = { x: box.x + box.width / 2, y: box.y + 10 };
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x + 100, from.y, { steps: 5 });
    await page.mouse.up();
    await page.locator('.live-button[aria-pressed=false]').waitFor();
    await live.click();
    await page.locator('.live-button[aria-pressed=true]').waitFor();
    for (let i = 0; i < 6; i += 1) await page.keyboard.press('+');
    await openBar(page, 'On the timeline');
    await page.waitForURL(`**/tasks/${id}`);
    await stage.open('lane');
  });

  it('says on a blocked task’s page why it waits, and draws who waits for whom', async () => {
    const holder = await stage.submit({
      ...{ title: 'In the way', branch: 'way', claims: { write: ['docs/**'] }, implement: [stage.waitAt('chain')] },
    });
    const page = await stage.visitor(`/tasks/${holder}`);
    await page.locator('.task-head .is-running').waitFor();
    const id = await stage.submit({ title: 'Behind it', branch: 'behind', claims: { write: ['docs/api.md'] } });
    await page.goto(`/tasks/${id}`);
    const chain = page.locator('.chain');
    await chain.locator('.chain-title', { hasText: 'In the way' }).waitFor();
    await chain.getByText('this task').waitFor();
    expect(await page.locator('.explain-summary').innerText()).toContain('docs');
    await chain.getByRole('link', { name: 'In the way' }).click();
    await page.waitForURL(`**/tasks/${holder}`);
    await stage.open('chain');
    await page.locator('.task-head .is-succeeded').waitFor();
  });

  it('follows a log to its end', async () => {
    const id = await stage.submit({
      title: 'Talks',
      branch: 'talks',
      implement: [`printf '\\033[32mfirst line\\033[0m\\n'; ${stage.waitAt('talk')}; echo second line`],
    });
    const page = await stage.visitor(`/tasks/${id}`);
    const log = page.getByRole('log');
    await log.getByText('first line', { exact: true }).waitFor();
    await page.getByText('Following', { exact: true }).waitFor();
    expect(await log.locator('.fg-2').innerText()).toBe('first line');
    await stage.open('talk');
    await log.getByText('second line', { exact: true }).waitFor();
    await page.getByText('Complete', { exact: true }).waitFor();
    await page.locator('.task-head .is-succeeded').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('.artifacts a', { hasText: 'log' }).first().click(),
    ]);
    expect(await download.failure()).toBeNull();
  });

  it('shows what a task changed, line by line, as text', async () => {
    const id = await stage.submit({
      title: 'Changes a file',
      branch: 'changes',
      claims: { write: ['docs/setup.md'] },
      implement: [`printf '%s\\n' '<script>document.title = "pwned"</script>' >> docs/setup.md`],
    });
    const page = await stage.visitor(`/tasks/${id}`);
    await page.locator('.task-head .is-succeeded').waitFor();
    await page.getByRole('tab', { name: 'Diff' }).click();
    const added = page.locator('.diff-table tr.is-insert', { hasText: '<script>' });
    await added.waitFor();
    expect(await added.locator('.diff-line').innerText()).toBe('<script>document.title = "pwned"</script>');
    expect(await page.title()).not.toBe('pwned');
  });

  it('cancels a task once that is confirmed, and not before', async () => {
    const id = await stage.submit({ title: 'To be cancelled', branch: 'cancel', implement: [stage.waitAt('never')] });
    const page = await stage.visitor(`/tasks/${id}`);
    await page.locator('.task-head .is-running').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this task?' });
    await dialog.getByText('To be cancelled').waitFor();
    await dialog.getByRole('button', { name: 'Back' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await page.locator('.task-head .is-running').count()).toBe(1);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await dialog.getByRole('button', { name: 'Cancel the task' }).click();
    await page.locator('.task-head .is-cancelled').waitFor();
    await page.getByRole('button', { name: 'Retry' }).waitFor();
  });

  it('changes a limit, and pauses the queue, once that is confirmed', async () => {
    const page = await stage.visitor('/limits');
    await page.getByLabel('New value of max_parallel_runners').fill('4');
    await page.locator('.limit-row').getByRole('button', { name: 'Set' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Set to 4' }).click();
    await page.locator('.limit-value', { hasText: '4' }).waitFor();
    expect(await stage.fleet.ask('GET', '/limits')).toMatchObject({ limits: { max_parallel_runners: 4 } });
    await page.getByRole('button', { name: 'Pause the queue' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByText('The queue is paused: what runs goes on').waitFor();
    await page.locator('.banner').getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.locator('.banner').waitFor({ state: 'detached' });
    await stage.fleet.ask('PUT', '/limits', { max_parallel_runners: null });
  });

  it('runs no script from a title, a branch’s task or a log, and has a policy that would not let it', async () => {
    const title = '<img src=x onerror="alert(1)"><script>window.pwned = 1</script>';
    const id = await stage.submit({
      ...{ title, branch: 'script', claims: { write: ['src/search/**'] } },
      implement: [`echo '<script>window.pwned = 2</script>'; ${stage.waitAt('script')}`],
    });
    const page = await stage.visitor('/');
    await row(page, 'Running', title).waitFor();
    for (const path of ['/timeline', '/hot', '/tasks', `/tasks/${id}`]) {
      const response = await page.goto(path);
      const policy = response?.headers()['content-security-policy'] ?? '';
      expect(policy).toMatch(/default-src 'none'.*script-src 'self'.*style-src 'self'/);
      expect(policy).not.toContain('unsafe');
      await page.locator('.view').waitFor();
      if (path === '/timeline') await page.locator('.board-drawing canvas').waitFor();
      if (path.startsWith('/tasks')) await page.getByText(title).first().waitFor();
    }
    await page.getByRole('log').getByText('<script>window.pwned = 2</script>').waitFor();
    expect(await page.evaluate("'pwned' in globalThis")).toBe(false);
    expect(await page.locator('img').count()).toBe(0);
    await stage.open('script');
  });

  it('says so when it has lost the dashboard, keeps what it knows, and comes back by itself', async () => {
    const page = await stage.visitor('/');
    await page.locator('.connection.is-live').waitFor();
    await page.context().setOffline(true);
    await page.getByText('No connection to the dashboard').waitFor();
    await panel(page, 'Workers').getByText('worker-1').waitFor();
    await page.context().setOffline(false);
    await page.locator('.banner.is-lost').waitFor({ state: 'detached' });
    await page.locator('.connection.is-live').waitFor();
  });
});

describe('the page, by keys alone', () => {
  it('leads to every view, searches, and opens a task', async () => {
    await stage.submit({ title: 'Found by keys', branch: 'keys' });
    const page = await stage.visitor('/');
    await panel(page, 'Running').waitFor();
    for (const [key, path] of [
      ['t', '/timeline'],
      ['h', '/hot'],
      ['c', '/limits'],
      ['l', '/tasks'],
      ['n', '/'],
    ] as const) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.waitForURL(`**${path}`);
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.locator('input[type=search]:focus').waitFor();
    await page.keyboard.type('found by');
    await page.waitForURL('**/tasks?q=found+by');
    await page.keyboard.press('Escape');
    await page.locator('.task-table tbody tr').nth(0).waitFor();
    await page.locator('.list-foot').getByText('1 shown', { exact: true }).waitFor();
    await page.keyboard.press('j');
    await page.locator('.task-link:focus', { hasText: 'Found by keys' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Found by keys' }).waitFor();
  });
});

describe('the page, on other screens', () => {
  it('is no wider than a phone in any view', async () => {
    const id = await stage.submit({
      title: `A title ${'that goes on and on '.repeat(8)}`.trim(),
      branch: 'narrow/with-a-long-name',
    });
    const page = await stage.visitor('/', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    for (const path of ['/', '/timeline', '/hot', '/tasks', '/limits', `/tasks/${id}`]) {
      await page.goto(path);
      await page.locator('.view :is(.panel, .board, .table-scroll, .empty)').first().waitFor();
      const [wide, screen] = await page.evaluate<number[]>(WIDTHS);
      expect(wide, path).toBeLessThanOrEqual(screen ?? 0);
      await page.getByRole('navigation', { name: 'Views, below' }).waitFor();
    }
  });

  it('is dark where the system is, light where the visitor says so, and remembers it', async () => {
    const page = await stage.visitor('/', { colorScheme: 'dark' });
    const background = async () => await page.evaluate<string>(BACKGROUND);
    await panel(page, 'Running').waitFor();
    const dark = await background();
    await page.getByRole('button', { name: 'Use the light theme' }).click();
    const light = await background();
    expect(brightness(dark)).toBeLessThan(60);
    expect(brightness(light)).toBeGreaterThan(200);
    await page.reload();
    await panel(page, 'Running').waitFor();
    expect(await background()).toBe(light);
  });
});

/** Looks for a bar lane by lane, as a pointer does, and clicks it. */
async function openBar(page: Page, title: string): Promise<void> {
  const box = await page.locator('.board-drawing').boundingBox();
  if (box === null) throw new Error('the timeline is not there');
  // Just left of now, where what runs has its end.
  const x = box.x + box.width * 0.96;
  for (let y = box.y + 36; y < box.y + box.height; y += 12) {
    await page.mouse.move(x, y);
    const card = page.locator('.hover-card', { hasText: title });
    const isThere = await card.waitFor({ timeout: 500 }).then(
      () => true,
      () => false,
    );
    if (isThere) return await page.mouse.click(x, y);
  }
  throw new Error(`no bar of the timeline is ${title}`);
}

// In words, since they run in the page and not here.
const WIDTHS = '[document.documentElement.scrollWidth, document.documentElement.clientWidth]';
const BACKGROUND = 'getComputedStyle(document.documentElement).backgroundColor';

function brightness(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map(Number);
  return (red + green + blue) / 3;
}
