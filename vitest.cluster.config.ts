import { defineConfig } from 'vitest/config';

/**
 * The tests on several Redis servers, and on servers whose clocks step: `npm run test:cluster`. They start up to seven
 * servers each, and what they measure needs a machine for itself: one test at a time.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/support/redis-setup.ts', 'test/support/system/build.ts'],
    include: ['test/system/cluster/**/*.test.ts'],
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
