import { defineConfig } from 'vitest/config';

/** Every folder of tests is a project, so that one can be run alone: `npx vitest run --project unit`. */
const project = (
  name: string,
  timeoutMs: number,
  more: { readonly globalSetup?: string[]; readonly exclude?: string[] } = {},
) => ({
  test: {
    name,
    ...more,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});

export default defineConfig({
  test: {
    // One private Redis for the whole run, unless REDIS_URL names another.
    globalSetup: ['test/support/redis-setup.ts'],
    // Most tests wait for Redis, git or a process; three workers keep two cores busy without starving each other.
    maxWorkers: 3,
    projects: [
      project('unit', 10_000),
      project('integration', 30_000),
      project('system', 180_000, {
        globalSetup: ['test/support/system/build.ts'],
        // See vitest.cluster.config.ts.
        exclude: ['test/system/cluster/**'],
      }),
    ],
  },
});
