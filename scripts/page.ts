/** Bundles the live page: `src/server/page/` becomes files that the dashboard serves as they are. */

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type InlineConfig } from 'vite';

/** The page's sources, from the project's root. */
export const PAGE = 'src/server/page';

/** How Vite makes the page. Nothing is inlined: the dashboard's content security policy lets no inline script or style run. */
export function pageConfig(outDir: string): InlineConfig {
  return {
    root: fileURLToPath(new URL(`../${PAGE}`, import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    base: '/',
    build: {
      outDir,
      emptyOutDir: false,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      target: 'es2022',
      // ECharts is one chunk of its own, loaded with the first view that draws.
      chunkSizeWarningLimit: 800,
    },
  };
}

/** Makes the page in `outDir`, and takes away what an earlier build left there. */
export async function buildPage(outDir: string): Promise<void> {
  const made = await build(pageConfig(outDir));
  if (!('output' in made)) throw new Error('Vite was to build once and did something else');
  const files = new Set(made.output.map(({ fileName }) => fileName));
  for (const file of filesUnder(outDir)) if (!files.has(relative(outDir, file))) rmSync(file);
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
