#!/bin/sh
# Runs in a checkout of the project; see ../try.sh. `signalbox up` serves the API on this machine; elsewhere it would be
# `signalbox dashboard`.
set -eu
port=$(sed 's/.*"port":\([0-9]*\).*/\1/' ../up.json)
api=http://127.0.0.1:$port/api/v1

# Prints the answer, also when it is a refusal.
request() {
  curl --silent --show-error --header "Authorization: Bearer $SIGNALBOX_TOKEN" "$@"
  echo
}

# The first value of a field in an answer.
field() {
  sed -n "s/^[^}]*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

task=$(
  cat <<TASK
{
  "title": "Mend the spelling",
  "repo": "$(git remote get-url origin)",
  "branch": "http/spelling",
  "claims": { "write": ["docs/**"] },
  "implement": ["sed -i.bak 's/Teh/The/' docs/handbook.md && rm docs/handbook.md.bak"],
  "test": ["! grep -r Teh docs"]
}
TASK
)
submit() {
  request --header 'Content-Type: application/json' --header 'Idempotency-Key: spelling-1' --data "$task" "$api/tasks"
}

echo 'Submitted:'
answer=$(submit)
echo "$answer"
id=$(echo "$answer" | field id)
echo 'Submitted again, as after a lost answer:'
submit

while :; do
  state=$(request "$api/tasks/$id/explain" | field state)
  case $state in
    succeeded | failed | cancelled | skipped) break ;;
  esac
  sleep 0.2
done
echo 'How it ended:'
request "$api/tasks/$id/explain"

echo 'A task with a mistake:'
request --header 'Content-Type: application/json' --data '{"title":"x","repo":"/srv/app.git","implement":["true"],"brnach":"x"}' "$api/tasks"
[ "$state" = succeeded ]
