#!/bin/sh
# Runs in a checkout of the project; see ../try.sh.
set -eu
node tools/tasks-from-outdated.mjs <outdated.json | signalbox submit - --wait
# The next night: nothing is queued twice.
node tools/tasks-from-outdated.mjs <outdated.json | signalbox submit -
git fetch --quiet origin
git branch --remotes --list 'origin/deps/*'
