import { defineConfig } from 'vitest/config';

/** The tests of the live page in a real browser, over a fleet of real workers: `npm run test:browser`. */
export default defineConfig({
  test: {
    globalSetup: ['test/browser/setup.ts'],
    include: ['test/browser/**/*.test.ts'],
    // One fleet at a time.
    maxWorkers: 1,
    testTimeout: 90_000,
    hookTimeout: 120_000,
  },
});
