#!/bin/sh
# Makes this folder ready to test or run: packages, build, a Redis. Does only what is missing.
set -eu

POLICY=/usr/sbin/policy-rc.d
# Set when there is something to take away at the end.
lent_home=''
made_policy=''
as_root=''

usage() {
  cat <<'HELP'
usage: sh scripts/setup.sh [--help]

Makes a clone of Signalbox ready to test or run. Needs Node 20.12 or newer, npm and git.

  1. installs the npm packages, if node_modules is not what package-lock.json says
  2. builds dist/, if a source is newer than the last build
  3. sees to a Redis: REDIS_URL if it is set; else redis-server or valkey-server on the
     PATH; else Docker; else installs one with apt-get (as root or by passwordless sudo)
     or Homebrew. It is not started here, and no system service is left running.

Exit codes: 0 ready, 1 a step failed, 2 wrong usage, 5 no Redis can be had.
HELP
}

say() {
  printf 'setup: %s\n' "$*" >&2
}

has() {
  command -v "$1" >/dev/null 2>&1
}

require_git_and_node() {
  if ! has git; then
    say 'git is missing. Install it, for instance with: sudo apt-get install git'
    exit 1
  fi
  if ! has node || ! has npm; then
    say 'Node.js and npm are missing. Install Node 20.12 or newer, for instance from https://nodejs.org.'
    exit 1
  fi
  if ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 12) ? 0 : 1)'; then
    say "Node $(node --version) is too old: install Node 20.12 or newer."
    exit 1
  fi
}

# npm keeps its cache in HOME, and without one in a folder named ~ right here.
lend_home() {
  if [ -d "${HOME:-}" ] && [ -w "${HOME:-}" ]; then return; fi
  lent_home=$(mktemp -d)
  export HOME="$lent_home"
}

clean_up() {
  if [ -n "$lent_home" ]; then rm -rf "$lent_home"; fi
  if [ -n "$made_policy" ]; then $as_root rm -f "$POLICY"; fi
}

install_packages() {
  if node scripts/dependencies-are-current.mjs; then return; fi
  say 'installing packages (npm ci)'
  npm ci --no-audit --no-fund >&2
}

build() {
  if [ -e dist/.built ] && [ -z "$(newer_sources)" ]; then return; fi
  say 'building dist/'
  npm run --silent build >&2
}

# Folders are looked at too: taking a file away changes only its folder.
newer_sources() {
  for source in src workers scripts/build.ts scripts/page.ts package.json package-lock.json tsconfig.json tsconfig.build.json; do
    if [ -e "$source" ]; then find "$source" -newer dist/.built; fi
  done
}

have_redis() {
  [ -n "${REDIS_URL:-}" ] || has redis-server || has valkey-server || docker_answers
}

docker_answers() {
  has docker && docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

install_redis() {
  if has apt-get && [ "$(id -u)" = 0 ]; then
    install_with_apt
  elif has apt-get && has sudo && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
    install_with_apt
  elif has brew; then
    say 'installing Redis (brew install redis)'
    brew install redis >&2
  else
    return 1
  fi
}

# Debian's package would start a service on port 6379, now and at every boot. policy-rc.d is Debian's own way to forbid
# the start; one that the machine's owner put there is left as it is.
install_with_apt() {
  say 'installing Redis (apt-get install redis-server)'
  if [ ! -e "$POLICY" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$POLICY" >/dev/null
    $as_root chmod +x "$POLICY"
  fi
  apt_install || { $as_root apt-get update -q >&2 && apt_install; } || return 1
  if has systemctl; then $as_root systemctl disable redis-server >/dev/null 2>&1 || :; fi
}

apt_install() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends redis-server >&2
}

no_redis() {
  cat >&2 <<'HELP'
setup: No Redis was found and none could be installed. Do one of these, then try again:
  Debian, Ubuntu   sudo apt-get install redis-server
  macOS            brew install redis
  Docker           docker run -d -p 127.0.0.1:6379:6379 redis:7-bookworm redis-server --appendonly yes
                   export REDIS_URL=redis://127.0.0.1:6379
  one you have     export REDIS_URL=redis://HOST:6379
HELP
  exit 5
}

case "${1:-}" in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
esac

cd "$(dirname "$0")/.."
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
lend_home
require_git_and_node
install_packages
build
have_redis || install_redis || no_redis
