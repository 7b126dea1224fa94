#!/usr/bin/env bash
# bench/store.sh: upload and download of blobs through `spnode store` on loopback over TLS, beside curl's download of a
# file as large from nginx over TLS, in turns. Signed, asked for first, several at once, every digest checked. JSON lines;
# wanted: both at least 0.6 of nginx. ROUNDS (5) and MIB (256) say how much.
set -euo pipefail
cd "$(dirname "$0")/.."
for program in nginx curl jq; do
  command -v "$program" >/dev/null || { echo "bench: store skipped: no $program (tools/install.sh bench)" >&2; exit 0; }
done
rounds=${ROUNDS:-5} mib=${MIB:-256} threads=${THREADS:-8}
bin=$PWD/build/release/bin
work=$(mktemp -d)
chmod 755 "$work"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

read -r store_port nginx_port < <(node -e '
  const net = require("net"), a = net.createServer().listen(0, "127.0.0.1", () => {
    const b = net.createServer().listen(0, "127.0.0.1", () => {
      console.log(a.address().port, b.address().port); a.close(); b.close(); }); });')
"$bin/spnode" init store --folder "$work/store" --host 127.0.0.1 --port "$store_port" >"$work/card.json"
certificate=$work/store/tls/certificate.pem
(cd "$work/store" && exec "$bin/spnode" store --config store.json) >"$work/store.log" 2>&1 &
pids+=($!)

mkdir "$work/www"
head -c $((mib << 20)) /dev/urandom >"$work/www/file"
cat >"$work/nginx.conf" <<END
daemon off;
worker_processes 1;
error_log $work/nginx.log;
pid $work/nginx.pid;
$([ "$(id -u)" = 0 ] && echo "user root;")
events { worker_connections 64; }
http {
  access_log off;
  sendfile on;
  client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3;
  uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  server {
    listen 127.0.0.1:$nginx_port ssl;
    ssl_certificate $certificate;
    ssl_certificate_key $(dirname "$certificate")/key.pem;
    root $work/www;
  }
}
END
nginx -c "$work/nginx.conf" -e "$work/nginx.log" >"$work/nginx.out" 2>&1 &
pids+=($!)
store=https://127.0.0.1:$store_port nginx=https://127.0.0.1:$nginx_port/file
for url in "$store/health" "$nginx"; do
  for ((i = 0; i < 100; ++i)); do
    if curl -sfI --cacert "$certificate" "$url" >/dev/null; then break; fi
    sleep 0.05
  done
done

# The first round warms up and doesn't count.
for ((round = 0; round <= rounds; ++round)); do
  speed=$(curl -sf --cacert "$certificate" -o /dev/null -w '%{speed_download}' "$nginx")
  "$bin/store_bench" "$store" "$certificate" "$mib" "$round" "$threads" >"$work/lines"
  if [ "$round" != 0 ]; then
    jq -c --argjson nginx "$speed" --argjson round "$round" \
      '. + {round: $round, nginxBytesPerSecond: $nginx, ratioToNginx: (.bytesPerSecond / $nginx)}' <"$work/lines"
  fi
done | tee "$work/all"
jq -cs 'def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
  group_by(.bench)[] | {bench: .[0].bench, rounds: length, medianBytesPerSecond: (map(.bytesPerSecond) | median),
  nginxMedianBytesPerSecond: (map(.nginxBytesPerSecond) | median), medianRatioToNginx: (map(.ratioToNginx) | median),
  wantedRatio: 0.6}' <"$work/all"
