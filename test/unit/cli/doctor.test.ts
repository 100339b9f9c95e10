import { expect, test } from 'vitest';
import { recoveryNote } from '../../../src/cli/doctor/checks.ts';
import { defineConfig } from '../../../src/config/config.ts';

test.each([
  ['10s', '16.5 s: overdue after 6 s + (TTL 10 s − margin 2 s) + 2.5 looks of the reaper, one each 1 s'],
  ['2s', '3.3 s: overdue after 1.2 s + (TTL 2 s − margin 0.4 s) + 2.5 looks of the reaper, one each 0.2 s'],
])('doctor prints the formula of recovery with its numbers for a lease of %s', (leaseTtl, formula) => {
  const { message } = recoveryNote(defineConfig({ leaseTtl }));
  expect(message).toBe(`when a worker dies, its tasks run again within ${formula}`);
});
