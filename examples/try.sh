#!/bin/sh
# Tries an example in a folder of its own: makes a repository of the example's project, starts `signalbox up`, and runs
# the example there.
set -eu

usage() {
  cat <<'HELP'
usage: sh examples/try.sh EXAMPLE [FOLDER]

FOLDER is where the repository (remote.git) and a checkout of it are made; default: a new temporary folder. It stays,
for you to look at.
HELP
}

# The identity of whoever tries it, without asking for one.
as_somebody() {
  git -c user.name=Example -c user.email=example@example.com -c init.defaultBranch=main "$@"
}

stop_fleet() {
  trap - EXIT INT TERM
  kill "$fleet" 2>/dev/null || :
  wait "$fleet" 2>/dev/null || :
}

case "${1:-}" in
  -h | --help) usage && exit 0 ;;
  '') usage >&2 && exit 2 ;;
esac
examples=$(cd "$(dirname "$0")" && pwd)
example="$examples/$1"
if [ ! -e "$example/run.sh" ]; then
  echo "there is no example $1; see $examples/README.md" >&2
  exit 2
fi
folder=${2:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"

git init --quiet --bare --initial-branch=main remote.git
cp -R "$example/project" checkout
cd checkout
as_somebody init --quiet
as_somebody add --all
as_somebody commit --quiet --message 'The project'
git remote add origin "$folder/remote.git"
git push --quiet origin main

# What the HTTP API asks for.
export SIGNALBOX_TOKEN=${SIGNALBOX_TOKEN:-not-a-real-token}
# What the agents' key would be; only the workers know it.
EXAMPLE_AGENT_KEY=not-a-real-key signalbox up --concurrency 4 --port 0 --json >../up.json &
fleet=$!
trap stop_fleet EXIT
trap 'exit 1' INT TERM
until [ -s ../up.json ]; do
  kill -0 "$fleet" || exit 1
  sleep 0.1
done

sh "$example/run.sh"
echo "The repository is $folder/remote.git"
