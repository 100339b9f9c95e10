#!/bin/sh
# Starts Redis as a queue of Signalbox needs it: an append-only file, nothing evicted, and a user for each role of
# docs/security.md. A role whose variable is empty (REDIS_WORKER_PASSWORD, REDIS_PRODUCER_PASSWORD,
# REDIS_READER_PASSWORD) gets no user. More arguments go to redis-server.
set -eu

here=$(dirname "$0")
users=${REDIS_USERS_FILE:-/tmp/users.acl}

# Redis takes a password's hash as well, so that no password is in a file or on a command line.
hash_of() {
  printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

# $1 is the role, $2 its password.
user() {
  if [ -n "$2" ]; then
    grep "^user $1 " "$here/users.acl" | sed "s/ >$1-password / #$(hash_of "$2") /"
  fi
}

if [ -z "${REDIS_WORKER_PASSWORD:-}" ]; then
  echo 'REDIS_WORKER_PASSWORD is not set: nobody could use this Redis. Put it into .env; see .env.example.' >&2
  exit 1
fi
{
  grep '^user default ' "$here/users.acl"
  user worker "$REDIS_WORKER_PASSWORD"
  user producer "${REDIS_PRODUCER_PASSWORD:-}"
  user reader "${REDIS_READER_PASSWORD:-}"
} >"$users"

set -- redis-server --dir "${REDIS_DIR:-/data}" --appendonly yes --appendfsync everysec --save '' \
  --maxmemory-policy noeviction --aclfile "$users" "$@"
# The official image's entry gives the folder to the user redis and goes on as that user.
if command -v docker-entrypoint.sh >/dev/null; then set -- docker-entrypoint.sh "$@"; fi
unset REDIS_WORKER_PASSWORD REDIS_PRODUCER_PASSWORD REDIS_READER_PASSWORD
exec "$@"
