#!/bin/sh
# Runs in a checkout of the project; see ../try.sh.
set -eu
signalbox limits set resource:staging 1
DEPLOY_LOG=$(cd .. && pwd)/deploy.log
export DEPLOY_LOG
pipelines=''
for service in api web worker; do
  signalbox exec --resource staging --read 'infra/**' -- sh deploy.sh "$service" &
  pipelines="$pipelines $!"
done
for pipeline in $pipelines; do wait "$pipeline"; done
cat "$DEPLOY_LOG"
