/** Prometheus' own checker, where it is installed. */

import { spawnSync } from 'node:child_process';

/** Whether it is there. */
export const hasPromtool = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;

/** Put behind the name of a test that is skipped without it. */
export const promtoolMissing = hasPromtool ? '' : ' (skipped: promtool is not installed; Debian has it in prometheus)';
