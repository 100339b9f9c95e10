/** The systemd units: systemd reads them, and they name variables that exist. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parseDuration } from '../../../src/task/duration.ts';
import { HURRY_S, namesIn, textOf, unknownVariables } from '../../support/deployment.ts';
import { ROOT } from '../../support/documents.ts';

const FOLDER = 'deploy/systemd';
const units = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.service'));
const canVerify = spawnSync('systemd-analyze', ['--version']).status === 0;

/** The values of a setting. */
function settings(unit: string, name: string): string[] {
  return [...textOf(`${FOLDER}/${unit}`).matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

describe.each(units)('%s', (unit) => {
  it('sets no variable of Signalbox that does not exist', () => {
    const names = settings(unit, 'Environment').map((text) => text.split('=')[0] ?? '');
    expect(names).toContain('SIGNALBOX_DATA');
    expect(unknownVariables(names)).toEqual([]);
  });

  it.runIf(canVerify)('has only what systemd knows', () => {
    const args = ['verify', '--man=no', '--recursive-errors=no', join(ROOT, FOLDER, unit)];
    const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    // Of other units of this machine it may complain as well.
    expect(stderr.split('\n').filter((line) => line.includes(FOLDER))).toEqual([]);
    expect(status).toBe(0);
  });
});

test('a stopped worker has more time than its drain takes', () => {
  const [drain = ''] = settings('signalbox-worker@.service', 'Environment').flatMap(
    (text) => /^SIGNALBOX_DRAIN_TIMEOUT=(.*)$/.exec(text)?.[1] ?? [],
  );
  const [stop] = settings('signalbox-worker@.service', 'TimeoutStopSec');
  expect(Number(stop)).toBeGreaterThan((parseDuration(drain) ?? Number.NaN) / 1_000 + HURRY_S);
});

test('the environment file has only variables that exist', () => {
  expect(unknownVariables(namesIn(`${FOLDER}/signalbox.env`))).toEqual([]);
});
