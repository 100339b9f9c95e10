#!/bin/sh
# Runs in a checkout of the project; see ../try.sh.
set -eu
signalbox submit tasks.yaml --wait
git pull --quiet origin main
git log --oneline --stat --format='%h %s' -3
head -n 2 src/*/*.mjs
