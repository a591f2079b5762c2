#!/bin/sh
# Makes one cluster of NODES (names, separated by spaces), three masters with a replica each. Where
# there is one already it does nothing.
set -eu
REDISCLI_AUTH=$(cat "${PASSWORD_FILE:-/keys/redis/password}")
export REDISCLI_AUTH

for node in $NODES; do
  tries=0
  until [ "$(redis-cli -h "$node" ping 2>&1)" = PONG ]; do
    tries=$((tries + 1))
    if [ "$tries" -ge 150 ]; then
      echo "$node does not answer: $(redis-cli -h "$node" ping 2>&1)" >&2
      exit 1
    fi
    sleep 2
  done
done

addresses=
for node in $NODES; do
  info=$(redis-cli -h "$node" cluster info | tr -d '\r')
  if echo "$info" | grep -qx cluster_slots_assigned:16384; then
    echo "$node knows a whole cluster: nothing to do"
    exit 0
  fi
  # A cluster's nodes know each other by address, not by name.
  addresses="$addresses $(getent hosts "$node" | cut -d ' ' -f 1):6379"
done

# shellcheck disable=SC2086 # one word each
redis-cli --cluster create $addresses --cluster-replicas 1 --cluster-yes
