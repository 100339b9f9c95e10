import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Step } from '../../task/task.ts';

/** One kind of project: the files at its root that tell it, and the command that tests it. */
interface Kind {
  readonly name: string;
  /** All of these must be there; of a list in the list, any. */
  readonly markers: readonly (string | readonly string[])[];
  readonly argv: readonly string[];
  /** A script of the project's own that stands in for the first word of `argv`, as it fixes the tool's version. */
  readonly wrapper?: string;
}

/** In the order in which the steps run. A project of several kinds is tested as each of them. */
const KINDS: readonly Kind[] = [
  {
    name: 'python',
    markers: [['pyproject.toml', 'pytest.ini', 'setup.cfg', 'setup.py']],
    argv: ['python3', '-m', 'pytest'],
  },
  { name: 'rust', markers: ['Cargo.toml'], argv: ['cargo', 'test'] },
  { name: 'go', markers: ['go.mod'], argv: ['go', 'test', './...'] },
  { name: 'maven', markers: ['pom.xml'], argv: ['mvn', '-q', 'test'], wrapper: 'mvnw' },
  { name: 'gradle', markers: [['build.gradle', 'build.gradle.kts']], argv: ['gradle', 'test'], wrapper: 'gradlew' },
  { name: 'rspec', markers: ['Gemfile', 'spec'], argv: ['bundle', 'exec', 'rspec'] },
  { name: 'rake', markers: ['Gemfile', 'Rakefile', 'test'], argv: ['bundle', 'exec', 'rake', 'test'] },
  { name: 'phpunit', markers: [['phpunit.xml', 'phpunit.xml.dist']], argv: ['vendor/bin/phpunit'] },
  { name: 'elixir', markers: ['mix.exs'], argv: ['mix', 'test'] },
];

/** Where make looks for its rules, in its order; it reads only the first. */
const MAKEFILES = ['GNUmakefile', 'makefile', 'Makefile'];

/** What `npm init` writes: a test script that only says that there is none. */
const NPM_PLACEHOLDER = /\bno test specified\b/;

/**
 * The steps that test the project in `directory`, for `test: auto`: found by the marker files at its root. A Makefile's
 * `test` counts only if nothing else was found, since it mostly calls the same. Empty if there is nothing to go by;
 * throws if the folder cannot be read.
 */
export async function findTests(directory: string): Promise<Step[]> {
  const names = new Set(await readdir(directory));
  const read = async (name: string): Promise<string> =>
    names.has(name) ? readFile(join(directory, name), 'utf8') : '';
  const found = [
    ...(hasNpmTest(await read('package.json')) ? [{ name: 'npm', argv: ['npm', 'test'] }] : []),
    ...KINDS.filter((kind) => matches(kind, names)).map((kind) => ({ name: kind.name, argv: argvOf(kind, names) })),
  ];
  const makefile = MAKEFILES.find((name) => names.has(name));
  if (found.length === 0 && makefile !== undefined && hasTestTarget(await read(makefile))) {
    found.push({ name: 'make', argv: ['make', 'test'] });
  }
  return found.map(({ name, argv }) => ({ name, command: { kind: 'argv', argv }, retries: 0 }));
}

function matches({ markers }: Kind, names: ReadonlySet<string>): boolean {
  return markers.every((marker) => [marker].flat().some((name) => names.has(name)));
}

function argvOf({ argv, wrapper }: Kind, names: ReadonlySet<string>): readonly string[] {
  return wrapper !== undefined && names.has(wrapper) ? [`./${wrapper}`, ...argv.slice(1)] : argv;
}

/** A package.json that cannot be read counts as one without tests: `npm test` could not be run with it either. */
function hasNpmTest(packageJson: string): boolean {
  try {
    const { scripts } = JSON.parse(packageJson) as { scripts?: { test?: unknown } };
    const script = scripts?.test;
    return typeof script === 'string' && script.trim() !== '' && !NPM_PLACEHOLDER.test(script);
  } catch {
    return false;
  }
}

/** `test:` or `a test b:` at the start of a line; `test := x` sets a variable. */
function hasTestTarget(makefile: string): boolean {
  return /^(?:[\w./-]+ +)*test(?: +[\w./-]+)* *::?(?!=)/m.test(makefile);
}
