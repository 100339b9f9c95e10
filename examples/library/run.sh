#!/bin/sh
# Runs in a checkout of the project; see ../try.sh. Among a project's own packages it would be `npx tsx main.ts`.
set -eu
example=$(cd "$(dirname "$0")" && pwd)
"$example/../../node_modules/.bin/tsx" "$example/main.ts"
git fetch --quiet origin
git branch --remotes
