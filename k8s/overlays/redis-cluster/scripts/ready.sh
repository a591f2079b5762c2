#!/bin/sh
# Whether this node may be counted on: it answers, its cluster is whole, and a replica has its master's data.
#
# Where the cluster is not whole it introduces itself to NODES again. After all pods have got new
# addresses at once, no node would find another by the addresses that it remembers; a node that is met
# again under its id has its address corrected.
set -eu
REDISCLI_AUTH=$(cat "${PASSWORD_FILE:-/keys/redis/password}")
export REDISCLI_AUTH

[ "$(redis-cli ping)" = PONG ]
info=$(redis-cli cluster info | tr -d '\r')
if ! echo "$info" | grep -qx cluster_state:ok; then
  # A node that knows none but itself has yet to be put into a cluster by create.sh, which wants it alone.
  if ! echo "$info" | grep -qx cluster_known_nodes:1; then
    for node in $NODES; do
      if address=$(getent hosts "$node" | cut -d ' ' -f 1) && [ -n "$address" ]; then
        redis-cli cluster meet "$address" 6379 >/dev/null
      fi
    done
  fi
  exit 1
fi
replication=$(redis-cli info replication | tr -d '\r')
if echo "$replication" | grep -qx role:slave; then
  echo "$replication" | grep -qx master_link_status:up
fi
