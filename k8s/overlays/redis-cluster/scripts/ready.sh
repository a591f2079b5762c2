#!/bin/sh
# Whether this node may be counted on: it answers, its cluster is whole, and a replica has its master's data.
#
# Where it has lost others from sight it introduces itself to NODES again. After pods have got new
# addresses all at once, none would find another by the addresses that it remembers; a node that is met
# again under its id has its address corrected.
set -eu
REDISCLI_AUTH=$(cat "${PASSWORD_FILE:-/keys/redis/password}")
export REDISCLI_AUTH

[ "$(redis-cli ping)" = PONG ]
info=$(redis-cli cluster info | tr -d '\r')
# A node that knows none but itself has yet to be put into a cluster by create.sh, which wants it alone.
if echo "$info" | grep -qx cluster_known_nodes:1; then
  exit 1
fi
# Third word: flags. A node that is really gone has no name to be met by, or does not answer.
if redis-cli cluster nodes | cut -d ' ' -f 3 | grep -Eq '(^|,)(fail\??|noaddr)(,|$)'; then
  for node in $NODES; do
    if address=$(getent hosts "$node" | cut -d ' ' -f 1) && [ -n "$address" ]; then
      redis-cli cluster meet "$address" 6379 >/dev/null
    fi
  done
fi
echo "$info" | grep -qx cluster_state:ok
replication=$(redis-cli info replication | tr -d '\r')
if echo "$replication" | grep -qx role:slave; then
  echo "$replication" | grep -qx master_link_status:up
fi
