/** Makes docs/demo.svg from a run of the demo: its table, its timeline and its checks. */

import { text } from 'node:stream/consumers';
import { toSvg } from './demo/svg.ts';

if (process.argv.includes('--help')) {
  console.log('usage: npm run --silent demo | npx tsx scripts/picture.ts > docs/demo.svg');
} else {
  const printed = (await text(process.stdin)).trimEnd().split('\n');
  const report = printed.slice(
    Math.max(
      0,
      printed.findIndex((line) => line.startsWith('┌')),
    ),
  );
  process.stdout.write(toSvg(['$ npm run demo', '', ...report], 'What `npm run demo` prints when it is over'));
}
