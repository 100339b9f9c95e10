import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type LockedPackages, missingOptionals } from '../../scripts/lockfile.ts';

const LOCKFILE = new URL('../../package-lock.json', import.meta.url);

describe('package-lock.json', () => {
  it('holds the optional packages of every platform, or npm ci refuses it (mend: scripts/complete-lockfile.ts)', () => {
    const { packages } = JSON.parse(readFileSync(LOCKFILE, 'utf8')) as { packages: LockedPackages };
    expect(Object.keys(missingOptionals(packages))).toEqual([]);
  });
});

describe('missing optional packages', () => {
  it('are told with the platform in their name', () => {
    const packages: LockedPackages = {
      '': {},
      'node_modules/tool': {
        version: '1.0.0',
        dev: true,
        optionalDependencies: { '@tool/linux-x64-musl': '1.0.0', '@tool/darwin-arm64': '1.0.0', nested: '2.0.0' },
      },
      'node_modules/@tool/darwin-arm64': { version: '1.0.0' },
      'node_modules/tool/node_modules/nested': { version: '2.0.0' },
    };
    expect(missingOptionals(packages)).toEqual({
      'node_modules/@tool/linux-x64-musl': {
        version: '1.0.0',
        cpu: ['x64'],
        os: ['linux'],
        libc: ['musl'],
        dev: true,
        optional: true,
      },
    });
  });
});
