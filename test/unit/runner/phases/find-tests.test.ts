import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTests } from '../../../../src/runner/phases/find-tests.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'find-tests-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Makes a project; a name that ends in `/` is a folder. */
async function project(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await (name.endsWith('/') ? mkdir(join(folder, name)) : writeFile(join(folder, name), text));
  }
}

async function commandsFound(): Promise<string[]> {
  return (await findTests(folder)).map(({ command }) => (command.kind === 'argv' ? command.argv.join(' ') : ''));
}

describe('test: auto', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['npm', { 'package.json': '{"scripts":{"test":"vitest run"}}' }, ['npm test']],
    ['pytest by pyproject.toml', { 'pyproject.toml': '' }, ['python3 -m pytest']],
    ['pytest by pytest.ini', { 'pytest.ini': '' }, ['python3 -m pytest']],
    ['pytest by setup.cfg', { 'setup.cfg': '' }, ['python3 -m pytest']],
    ['pytest by setup.py, once', { 'setup.py': '', 'setup.cfg': '' }, ['python3 -m pytest']],
    ['cargo', { 'Cargo.toml': '' }, ['cargo test']],
    ['go', { 'go.mod': '' }, ['go test ./...']],
    ['maven', { 'pom.xml': '' }, ['mvn -q test']],
    ['maven by its wrapper', { 'pom.xml': '', mvnw: '' }, ['./mvnw -q test']],
    ['gradle', { 'build.gradle': '' }, ['gradle test']],
    ['gradle by its wrapper', { 'build.gradle.kts': '', gradlew: '' }, ['./gradlew test']],
    ['rspec', { Gemfile: '', 'spec/': '' }, ['bundle exec rspec']],
    ['rake', { Gemfile: '', Rakefile: '', 'test/': '' }, ['bundle exec rake test']],
    ['phpunit', { 'phpunit.xml.dist': '' }, ['vendor/bin/phpunit']],
    ['mix', { 'mix.exs': '' }, ['mix test']],
    ['make', { Makefile: 'build:\n\tcc x.c\n\ntest: build\n\t./x\n' }, ['make test']],
    ['make with several targets in a rule', { Makefile: 'check test:\n\t./x\n' }, ['make test']],
    [
      'two kinds in one project',
      { 'package.json': '{"scripts":{"test":"x"}}', 'go.mod': '' },
      ['npm test', 'go test ./...'],
    ],
    ['the project rather than its Makefile', { 'go.mod': '', Makefile: 'test:\n\tgo test' }, ['go test ./...']],
  ])('finds %s', async (_, files, commands) => {
    await project(files);
    expect(await commandsFound()).toEqual(commands);
  });

  it.each<[string, Record<string, string>]>([
    ['an empty project', {}],
    ["npm's placeholder", { 'package.json': '{"scripts":{"test":"echo \\"Error: no test specified\\" && exit 1"}}' }],
    ['a package.json without scripts', { 'package.json': '{}' }],
    ['a package.json that cannot be read', { 'package.json': '{' }],
    ['a Gemfile alone', { Gemfile: '' }],
    ['a Makefile that sets a variable of that name', { Makefile: 'test := x\ntests:\n\ttrue\nall: test-data\n' }],
  ])('finds nothing in %s', async (_, files) => {
    await project(files);
    expect(await findTests(folder)).toEqual([]);
  });

  it('gives steps as a task has them', async () => {
    await project({ 'go.mod': '' });
    const command = { kind: 'argv', argv: ['go', 'test', './...'] };
    expect(await findTests(folder)).toEqual([{ name: 'go', command, retries: 0 }]);
  });
});
