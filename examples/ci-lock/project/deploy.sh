#!/bin/sh
# Deploys to the one staging environment, which takes a while.
set -eu
echo "begin $1 (staging slot ${SIGNALBOX_SLOT_STAGING:-none})" >>"$DEPLOY_LOG"
sleep 0.3
echo "end $1" >>"$DEPLOY_LOG"
