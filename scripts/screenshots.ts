/** Makes pictures of every view of the live page, from a fleet that works while they are taken. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBrowser } from './screenshots/browser.ts';
import { startFleet } from './screenshots/fleet.ts';
import { playScene } from './screenshots/scene.ts';
import { LOOKS, shoot } from './screenshots/shots.ts';

const HELP = `usage: npm run screenshots -- [--out DIR] [--look light|dark|narrow]… [--help]

Starts Redis, three workers and the dashboard in a folder of its own, lets them work on a small
repository, and takes a picture of every view: light, dark, and as narrow as a phone.

  --out DIR    where the pictures go (default: docs/images)
  --look LOOK  only this one; may be given more than once

Needs Chromium; CHROMIUM names one that is not where it is looked for.`;

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'docs/images' },
    look: { type: 'string', multiple: true, default: Object.keys(LOOKS) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  await mkdir(values.out, { recursive: true });
  const browser = await startBrowser();
  try {
    await using fleet = await startFleet({ workers: 3, concurrency: 2 });
    const scene = await playScene(fleet);
    for (const look of values.look) {
      for (const file of await shoot({ browser, fleet, scene, look, out: values.out }))
        console.log(join(values.out, file));
    }
  } finally {
    await browser.close();
  }
}
