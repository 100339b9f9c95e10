/** What `package-lock.json` must hold for `npm ci` to accept it on every platform. */

/** The part of an entry of the lockfile that matters here. */
export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Entries by folder; the empty one is the project itself. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/**
 * Entries for the optional packages that others in the lockfile ask for and that it does not hold.
 *
 * Names and versions are the parents'; the platform, which makes npm pass over them elsewhere, is told by the name.
 */
export function missingOptionals(packages: LockedPackages): LockedPackages {
  const missing = Object.entries(packages).flatMap(([folder, parent]) =>
    Object.entries(parent.optionalDependencies ?? {})
      .filter(([name]) => !(`node_modules/${name}` in packages || `${folder}/node_modules/${name}` in packages))
      .map(([name, version]) => [`node_modules/${name}`, entryFor(name, version, parent)] as const),
  );
  return Object.fromEntries(missing);
}

function entryFor(name: string, version: string, parent: LockedPackage): LockedPackage {
  const words = name.split(/[-/@]/);
  return {
    version,
    cpu: PROCESSORS.filter((word) => words.includes(word)),
    ...(parent.dev === true && { dev: true }),
    ...(name.includes('musl') && { libc: ['musl'] }),
    ...(name.includes('-gnu') && { libc: ['glibc'] }),
    optional: true,
    os: SYSTEMS.filter((word) => words.includes(word)),
  };
}
