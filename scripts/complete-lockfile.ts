/**
 * Adds to `package-lock.json` the optional packages of other platforms that npm left out.
 *
 * npm leaves one out when it could not be fetched, for instance from a registry that mirrors some platforms only.
 * `npm ci` then refuses the lockfile, everywhere. Run this after `npm install` when `test/unit/lockfile.test.ts` is red.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { type LockedPackages, missingOptionals } from './lockfile.ts';

const LOCKFILE = 'package-lock.json';

if (process.argv.includes('--help')) {
  console.log('usage: npx tsx scripts/complete-lockfile.ts');
} else {
  const lock = JSON.parse(readFileSync(LOCKFILE, 'utf8')) as { packages: LockedPackages };
  const missing = missingOptionals(lock.packages);
  const entries = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeFileSync(LOCKFILE, `${JSON.stringify({ ...lock, packages: Object.fromEntries(entries) }, null, 2)}\n`);
  console.log(`${Object.keys(missing).length} optional packages added to ${LOCKFILE}`);
}
