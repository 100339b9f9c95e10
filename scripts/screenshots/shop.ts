/** The pictures' repository: a small shop, whose files many tasks want. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BASE, git } from '../demo/remote.ts';

const FILES: Readonly<Record<string, string>> = {
  'package.json': '{\n  "name": "shop",\n  "version": "2.4.0",\n  "scripts": { "test": "node test/all.js" }\n}\n',
  'src/auth/login.ts': module('login', 'checks a name and a password'),
  'src/auth/session.ts': module('session', 'keeps a visitor known for a day'),
  'src/auth/token.ts': module('token', 'signs and checks tokens'),
  'src/cart/cart.ts': module('cart', 'what a visitor wants to buy'),
  'src/cart/prices.ts': module('prices', 'adds up what is in a cart'),
  'src/checkout/payment.ts': module('payment', 'takes the money'),
  'src/checkout/shipping.ts': module('shipping', 'where it is sent to'),
  'src/db/schema.ts': module('schema', 'tables and their columns'),
  'src/db/pool.ts': module('pool', 'connections to the database'),
  'src/search/search.ts': module('search', 'finds what is sold'),
  'docs/api.md': '# API\n\nWhat the shop answers.\n',
  'docs/setup.md': '# Set-up\n\nHow to start the shop.\n',
};

function module(name: string, does: string): string {
  return `/** The ${name}: ${does}. */\nexport function ${name}(input: string): string {\n  if (input === '') {\n    throw new Error('nothing was given');\n  }\n  return input.trim();\n}\n`;
}

/** Makes the shop's remote, a bare repository at `dir`. */
export async function makeShop(dir: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'shop-'));
  try {
    for (const [path, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), text);
    }
    await git(['init', '--quiet', '--bare', `--initial-branch=${BASE}`, dir]);
    const tree = ['--git-dir', dir, '--work-tree', work];
    await git([...tree, 'add', '--all', '--', work]);
    await git([...tree, 'commit', '--quiet', '--message', 'The shop']);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
