#!/bin/sh
# Runs in a checkout of the project; see ../try.sh.
set -eu
signalbox plan tasks.yaml
signalbox submit tasks.yaml --wait
git fetch --quiet origin
git log --oneline origin/main
