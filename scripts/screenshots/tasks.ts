/** The tasks of the pictures. */

import type { TaskInput } from '../../src/task/schema.ts';

interface Sketch {
  readonly title: string;
  readonly branch: string;
  readonly write: readonly string[];
  readonly read?: readonly string[];
  readonly seconds: number;
  readonly owner: string;
  readonly spec?: string;
  readonly fails?: boolean;
  readonly more?: Partial<TaskInput>;
}

/** Those that have ended, or nearly, when the picture is taken. */
const BEFORE: readonly Sketch[] = [
  {
    title: 'Rate-limit the login',
    branch: 'auth/rate-limit',
    write: ['src/auth/**'],
    seconds: 5,
    owner: 'team-accounts',
    spec: 'hardening',
  },
  {
    title: 'Rotate signing keys weekly',
    branch: 'auth/key-rotation',
    write: ['src/auth/token.ts'],
    seconds: 3,
    owner: 'team-accounts',
    spec: 'hardening',
  },
  {
    title: 'Round prices to cents',
    branch: 'cart/rounding',
    write: ['src/cart/prices.ts'],
    seconds: 4,
    owner: 'team-buying',
  },
  { title: 'Show VAT in the cart', branch: 'cart/vat', write: ['src/cart/**'], seconds: 3, owner: 'team-buying' },
  {
    title: 'Retry payments that timed out',
    branch: 'checkout/retry',
    write: ['src/checkout/payment.ts'],
    seconds: 4,
    owner: 'team-buying',
    fails: true,
  },
  {
    title: 'Index the search by brand',
    branch: 'search/brands',
    write: ['src/search/**'],
    read: ['src/db/schema.ts'],
    seconds: 6,
    owner: 'team-search',
  },
  {
    title: 'Add a column for gift cards',
    branch: 'db/gift-cards',
    write: ['src/db/schema.ts'],
    seconds: 3,
    owner: 'team-data',
    spec: 'gift-cards',
  },
  {
    title: 'Describe the API of gift cards',
    branch: 'db/gift-cards',
    write: ['docs/api.md'],
    seconds: 3,
    owner: 'team-data',
    spec: 'gift-cards',
  },
  {
    title: 'Explain the set-up on Windows',
    branch: 'docs/windows',
    write: ['docs/setup.md'],
    seconds: 2,
    owner: 'team-docs',
  },
  { title: 'Update dependencies', branch: 'deps/weekly', write: ['package.json'], seconds: 3, owner: 'renovator' },
];

/** Those that run on it; fewer than the cap. */
const RUNNING: readonly Sketch[] = [
  {
    title: 'Migrate sessions to Redis',
    branch: 'auth/sessions',
    write: ['src/auth/**'],
    read: ['src/db/pool.ts'],
    seconds: 220,
    owner: 'team-accounts',
    spec: 'hardening',
  },
  {
    title: 'Split orders by warehouse',
    branch: 'checkout/warehouses',
    write: ['src/checkout/**'],
    seconds: 200,
    owner: 'team-buying',
  },
  {
    title: 'Suggest while typing',
    branch: 'search/suggest',
    write: ['src/search/search.ts'],
    seconds: 240,
    owner: 'team-search',
  },
  {
    title: 'Escape <script>alert(1)</script> in titles',
    branch: 'search/escape',
    write: ['docs/api.md'],
    seconds: 210,
    owner: 'team-search',
  },
];

/** Those that wait for them. */
const WAITING: readonly Sketch[] = [
  {
    title: 'Log failed logins',
    branch: 'auth/audit',
    write: ['src/auth/login.ts'],
    seconds: 30,
    owner: 'team-accounts',
    spec: 'hardening',
  },
  {
    title: 'Two-factor login',
    branch: 'auth/two-factor',
    write: ['src/auth/**', 'src/db/schema.ts'],
    seconds: 30,
    owner: 'team-accounts',
    spec: 'hardening',
  },
  { title: 'Typed tables', branch: 'db/types', write: ['src/db/**'], seconds: 30, owner: 'team-data' },
  {
    title: 'Same-day shipping',
    branch: 'checkout/same-day',
    write: ['src/checkout/shipping.ts'],
    seconds: 30,
    owner: 'team-buying',
  },
  {
    title: 'Gift cards at the checkout',
    branch: 'db/gift-cards',
    write: ['src/checkout/payment.ts', 'src/cart/**'],
    seconds: 30,
    owner: 'team-data',
    spec: 'gift-cards',
  },
];

/** One that fills the cap, and those that stand in line behind it. */
const LATER: readonly Sketch[] = [
  {
    title: 'Translate the set-up',
    branch: 'docs/windows',
    write: ['docs/setup.md'],
    seconds: 230,
    owner: 'team-docs',
    more: { priority: 'high' },
  },
  {
    title: 'Format all sources',
    branch: 'chore/format',
    write: ['src/**'],
    seconds: 30,
    owner: 'renovator',
    more: { priority: 'low' },
  },
  { title: 'Update dependencies', branch: 'deps/weekly', write: ['package.json'], seconds: 30, owner: 'renovator' },
];

/** The tasks in the order in which they are submitted. */
export function shopTasks(repo: string): Record<'before' | 'running' | 'waiting' | 'later', TaskInput[]> {
  const made = (sketches: readonly Sketch[]): TaskInput[] => sketches.map((sketch) => inputOf(sketch, repo));
  return { before: made(BEFORE), running: made(RUNNING), waiting: made(WAITING), later: made(LATER) };
}

function inputOf(
  { title, branch, write, read = [], seconds, owner, spec, fails = false, more }: Sketch,
  repo: string,
): TaskInput {
  const [first = ''] = write;
  const file = first.endsWith('**') ? `${first.slice(0, -2)}${FIRST[first.slice(0, -2)] ?? 'notes.ts'}` : first;
  return {
    title,
    repo,
    branch,
    claims: { write: [...write], read: [...read] },
    implement: [
      { name: 'install', run: say('added', ['packages in 1.2 s', '0 vulnerabilities'], 0.2) },
      { name: 'edit', run: `${work(seconds)}; ${edit(file)}` },
    ],
    test: [{ name: 'npm test', run: fails ? failing() : say('ok', ['login', 'cart', 'checkout', 'search'], 0.25) }],
    owner,
    ...(spec === undefined ? {} : { spec }),
    attempts: 1,
    ...more,
  };
}

const FIRST: Readonly<Record<string, string>> = {
  'src/auth/': 'session.ts',
  'src/cart/': 'prices.ts',
  'src/checkout/': 'shipping.ts',
  'src/db/': 'pool.ts',
  'src/search/': 'search.ts',
  'src/': 'db/pool.ts',
};

/** Output with a little colour, as programs write it. */
function say(word: string, lines: readonly string[], pause: number): string {
  return lines.map((line) => `printf '\\033[32m✓\\033[0m %s\\n' '${word} ${line}'; sleep ${pause}`).join('; ');
}

function work(seconds: number): string {
  const steps = Math.max(1, Math.round(seconds / 0.5));
  return `i=0; while [ $i -lt ${steps} ]; do i=$((i+1)); printf '\\033[36m[%03d]\\033[0m reading and thinking about \\033[1mstep %d\\033[0m of ${steps}\\n' $i $i; sleep 0.5; done`;
}

function edit(file: string): string {
  return `sed -i 's/nothing was given/nothing was given: say what you look for/; s/input.trim()/input.trim().toLowerCase()/' ${file}; printf '\\n/** Whether there is anything to do. */\\nexport const isReady = true;\\n' >> ${file}; echo 'edited ${file}'`;
}

function failing(): string {
  return `${say('ok', ['login', 'cart'], 0.2)}; printf '\\033[31m✗\\033[0m payment: expected 2 attempts, got 1\\n    at payment.test.ts:41\\n'; exit 1`;
}
