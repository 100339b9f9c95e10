/**
 * Exits 0 if `node_modules` holds what `package-lock.json` asks for, else 1. Used by setup.sh before anything is
 * installed, hence plain JavaScript without imports of packages.
 *
 * npm notes what it installed in `node_modules/.package-lock.json`. Times would not do: a checkout changes them, and
 * installing anew takes the packages away from under whatever runs.
 */

import { existsSync, readFileSync } from 'node:fs';

const INSTALLED = 'node_modules/.package-lock.json';

/** @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} by folder */
function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

function isCurrent() {
  if (!existsSync(INSTALLED)) return false;
  const installed = packagesOf(INSTALLED);
  return Object.entries(packagesOf('package-lock.json')).every(([folder, wanted]) => {
    // The project itself is not installed; optional packages are those of other platforms.
    if (folder === '' || wanted.optional === true || wanted.devOptional === true) return true;
    return installed[folder]?.version === wanted.version && existsSync(folder);
  });
}

process.exitCode = isCurrent() ? 0 : 1;
