#!/usr/bin/env bash
# swift.sh FOLDER: a real S3 server for tests, OpenStack Swift with s3api, on free ports of 127.0.0.1 with all that it
# keeps in FOLDER. Writes its port to FOLDER/port when it answers, and runs until it is ended or its standard input ends;
# its servers die with it. Access key "test:tester", secret "testing", region us-east-1. Path-style requests name the host
# "localhost"; a host BUCKET.0.0.1 (the bucket "127", then) names the bucket. Ends with 77 where Swift isn't installed.
set -euo pipefail

for program in swift-proxy-server swift-account-server swift-container-server swift-object-server memcached; do
  command -v "$program" >/dev/null || { echo "swift.sh: $program isn't installed (tools/install.sh s3)"; exit 77; }
done
folder=$(realpath "$1")
mkdir -p "$folder/etc" "$folder/devices/d1"
user=$(id -un)

# Free ports, and for each storage server a ring of one device; Debian's Python has Swift.
read -r proxy cache account container object < <(/usr/bin/python3 - "$folder/etc" <<'END'
import socket, sys
from swift.common.ring import RingBuilder
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
ports = [s.getsockname()[1] for s in sockets]
for name, port in zip(("account", "container", "object"), ports[2:]):
    ring = RingBuilder(4, 1, 0)
    ring.add_dev({"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1,
                  "replication_ip": "127.0.0.1", "replication_port": port, "meta": ""})
    ring.rebalance()
    ring.get_ring().save(f"{sys.argv[1]}/{name}.ring.gz")
print(*ports)
END
)

storage_server() { # NAME PORT
  cat >"$folder/etc/$1.conf" <<END
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $2
workers = 0
user = $user
swift_dir = $folder/etc
devices = $folder/devices
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
END
}
storage_server account "$account"
storage_server container "$container"
storage_server object "$object"

cat >"$folder/etc/proxy.conf" <<END
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $proxy
workers = 0
user = $user
swift_dir = $folder/etc
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$cache
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = 0.0.1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
[filter:symlink]
use = egg:swift#symlink
END

children=()
start() { # NAME COMMAND...
  local name=$1
  shift
  # The kernel ends the child with this script, however that ends.
  setpriv --pdeathsig KILL "$@" >"$folder/$name.log" 2>&1 </dev/null &
  children+=($!)
}
stop() {
  kill "${children[@]}" 2>/dev/null || true
  wait "${children[@]}" || true
}
trap stop EXIT
trap 'exit 0' TERM INT

start memcached memcached -l 127.0.0.1 -p "$cache" -U 0 -m 16 -u "$user"
for server in account container object; do
  start "$server" "swift-$server-server" "$folder/etc/$server.conf" -v
done
start proxy swift-proxy-server "$folder/etc/proxy.conf" -v

for ((tries = 0; ; ++tries)); do
  if curl -sf -o "$folder/health" "http://127.0.0.1:$proxy/healthcheck"; then break; fi
  if ((tries >= 300)); then
    tail -n 5 "$folder"/*.log
    exit 1
  fi
  sleep 0.1
done
echo "$proxy" >"$folder/port.new"
mv "$folder/port.new" "$folder/port"

# In the background with wait, so that a signal is answered at once.
cat >/dev/null <&0 &
wait $!
