#!/usr/bin/env bash
# wired.sh BIN: the programs with a real S3 server (swift.sh): spctl moves packages to and from a bucket, and `spnode store`
# keeps its blobs in one. Ends with 77 where Swift isn't installed.
set -euo pipefail
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
swift_pid='' store_pid='' counter_pid=''
finish() {
  for pid in $store_pid $counter_pid $swift_pid; do kill "$pid" 2>/dev/null || true; done
  wait || true
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "FAILED: $*"
  tail -n 20 "$work"/*.log || true
  exit 1
}

# refused PATTERN FILE MESSAGE: the last command ended with 1, and said so.
refused() {
  [ "$code" = 1 ] || fail "$3: ended with $code"
  grep -q "$1" "$2" || fail "$3: $(cat "$2")"
}

mkdir "$work/swift"
mkfifo "$work/leash"
exec 3<>"$work/leash" # swift.sh runs until its input ends
"$here/swift.sh" "$work/swift" <&3 >"$work/swift.log" 2>&1 &
swift_pid=$!
for ((i = 0; i < 600; ++i)); do
  [ ! -f "$work/swift/port" ] || break
  if ! kill -0 "$swift_pid" 2>/dev/null; then
    code=0
    wait "$swift_pid" || code=$?
    swift_pid=''
    [ "$code" = 77 ] || fail "swift.sh ended with $code"
    cat "$work/swift.log"
    exit 77
  fi
  sleep 0.1
done
port=$(cat "$work/swift/port")

# bucket METHOD NAME: makes or removes a bucket by a signed request: the programs do neither.
cat >"$work/bucket.js" <<'END'
const crypto = require("crypto"), http = require("http"), [port, method, name] = process.argv.slice(2);
const hmac = (key, text) => crypto.createHmac("sha256", key).update(text).digest();
const hash = (text) => crypto.createHash("sha256").update(text).digest("hex");
const date = new Date().toISOString().replace(/[-:]|\.\d+/g, ""), day = date.slice(0, 8);
const fields = {host: `localhost:${port}`, "x-amz-content-sha256": hash(""), "x-amz-date": date};
const names = Object.keys(fields).sort(), scope = `${day}/us-east-1/s3/aws4_request`;
const canonical = [method, `/${name}`, "", ...names.map((n) => `${n}:${fields[n]}`), "", names.join(";"), hash("")].join("\n");
const key = [day, "us-east-1", "s3", "aws4_request"].reduce(hmac, "AWS4testing");
const signature = hmac(key, ["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n")).toString("hex");
const headers = {...fields, "content-length": 0,
  authorization: `AWS4-HMAC-SHA256 Credential=test:tester/${scope},SignedHeaders=${names.join(";")},Signature=${signature}`};
http.request({port, host: "127.0.0.1", method, path: `/${name}`, headers}, (answer) => {
  console.log(`the bucket's answer: ${answer.statusCode}`);
  process.exit(answer.statusCode < 300 ? 0 : 1);
}).end();
END
bucket() {
  # Swift's proxy may answer before what is behind it does.
  for ((i = 0; i < 100; ++i)); do
    ! node "$work/bucket.js" "$port" "$@" >>"$work/bucket.log" 2>&1 || return 0
    sleep 0.2
  done
  fail "no success of $1 $2"
}
bucket PUT bucket

export AWS_ENDPOINT_URL=http://localhost:$port AWS_ACCESS_KEY_ID=test:tester AWS_SECRET_ACCESS_KEY=testing
spctl() { "$bin/spctl" --home "$work/home" "$@"; }
spctl keys create me >/dev/null
mkdir "$work/data"
head -c 5000000 /dev/urandom >"$work/data/random"

# To a bucket and back, also where the place that is asked first is gone.
spctl files upload "$work/data" --store s3://bucket/a >"$work/id" 2>>"$work/spctl.log" || fail "upload to a bucket"
id=$(cat "$work/id")
spctl files download "$id" --store http://127.0.0.1:1 --store s3://bucket/a --out "$work/got" >/dev/null \
  2>>"$work/spctl.log" || fail "download from a bucket"
cmp "$work/data/random" "$work/got/random" || fail "other bytes came back"
code=0
spctl files download "$id" --store s3://bucket/b --out "$work/none" >/dev/null 2>"$work/none.log" || code=$?
refused "no blob\|NoSuchKey\|status 404" "$work/none.log" "nothing lies under another prefix"
code=0
AWS_SECRET_ACCESS_KEY=wrong "$bin/spctl" --home "$work/home" files download "$id" --store s3://bucket/a \
  --out "$work/none" >/dev/null 2>"$work/none.log" || code=$?
refused SignatureDoesNotMatch "$work/none.log" "a wrong secret is told as such"

# Killed again and again on the way to the bucket and back: what passes to Swift is counted between them, and passes
# slowly enough that no machine is through before the second kill.
cat >"$work/counter.js" <<'END'
const fs = require("fs"), http = require("http"), net = require("net"), {pipeline, Transform} = require("stream");
const [port, file, bytesPerMs] = process.argv.slice(2);
const moved = {up: 0, down: 0}, due = {up: 0, down: 0};
const pass = (from, to, way) => {
  const transform = (bytes, _, done) => {
    moved[way] += bytes.length;
    due[way] = Math.max(due[way], Date.now()) + bytes.length / bytesPerMs;
    setTimeout(done, due[way] - Date.now(), null, bytes);
  };
  pipeline(from, new Transform({transform}), to, () => {});
};
const front = net.createServer((client) => {
  const server = net.connect(port, "127.0.0.1");
  pass(client, server, "up");
  pass(server, client, "down");
}).listen(0, "127.0.0.1", () => {
  const told = http.createServer((asked, answer) => answer.end(`${moved[asked.url.slice(1)]}`)).listen(0, "127.0.0.1", () => {
    fs.writeFileSync(file, `${front.address().port} ${told.address().port}\n`);
  });
});
END
size_mib=${SIZE_MIB:-96}
longest_ms=999 # before a kill
node "$work/counter.js" "$port" "$work/ports" $(((size_mib << 20) / (3 * longest_ms))) 2>"$work/counter.log" &
counter_pid=$!
for ((i = 0; i < 100; ++i)); do
  [ ! -s "$work/ports" ] || break
  sleep 0.05
done
read -r front told <"$work/ports" || fail "nothing counts"
moved() { curl -sf "http://127.0.0.1:$told/$1"; }
rss_max_kib=$((80 * 1024)) # of spctl, whatever the size: less than what it moves
KILLS=${KILLS:-8}
# shellcheck source=tests/killed.sh
. "$here/../killed.sh"
mkdir "$work/large"
head -c $((size_mib << 20)) /dev/urandom >"$work/large/random"
rm -r "$work/got"
with_fields=$(((size_mib << 20) * 101 / 100)) # HTTP's pass as well
direct=$AWS_ENDPOINT_URL
export AWS_ENDPOINT_URL=http://localhost:$front
repeat files upload "$work/large" --store s3://bucket/large
id=$(head -n 1 "$work/out")
grep -q '^Going on with large' "$work/spctl.log" || fail "no upload went on"
moved_once "$(moved up)" "$with_fields"
before=$(moved down)
repeat files download "$id" --store s3://bucket/large --out "$work/got"
moved_once "$(($(moved down) - before))" "$with_fields"
cmp "$work/large/random" "$work/got/random" || fail "other bytes came back after kills"
[ -z "$(find "$work/home/transfers" -mindepth 1)" ] || fail "left behind: $(ls "$work/home/transfers")"
[ "$most_kib" -lt "$rss_max_kib" ] || fail "spctl took $most_kib KiB"
echo "spctl took at most $most_kib KiB for $size_mib MiB to S3 and back"
export AWS_ENDPOINT_URL=$direct

# A store whose blobs lie in the bucket; quotas are its own.
"$bin/spnode" init store --folder "$work/store" --host 127.0.0.1 --no-tls >"$work/card.json"
free=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
node -e '
  const fs = require("fs"), file = process.argv[1], settings = JSON.parse(fs.readFileSync(file));
  settings.listen.port = Number(process.argv[2]);
  settings.quotaBytes = 12e6;
  settings.backend = {s3: {url: "s3://bucket/store"}};
  fs.writeFileSync(file, JSON.stringify(settings));' "$work/store/store.json" "$free"
url=http://127.0.0.1:$free
start_store() {
  local i
  (cd "$work/store" && exec "$bin/spnode" store --config store.json) >>"$work/store.log" 2>&1 &
  store_pid=$!
  for ((i = 0; i < 200; ++i)); do
    if curl -sf "$url/health" >/dev/null; then return; fi
    sleep 0.05
  done
  fail "the store doesn't answer"
}
start_store
spctl files upload "$work/data" --store "$url" >"$work/id" 2>>"$work/spctl.log" || fail "upload to a store in a bucket"
id=$(cat "$work/id")
spctl files download "$id" --store s3://bucket/store --out "$work/direct" >/dev/null || fail "it isn't in the bucket"
cmp "$work/data/random" "$work/direct/random" || fail "other bytes are in the bucket"
kill -KILL "$store_pid"
wait "$store_pid" || true
start_store
spctl files download "$id" --store "$url" --out "$work/through" >/dev/null || fail "download from a store in a bucket"
cmp "$work/data/random" "$work/through/random" || fail "other bytes came through the store"
# 5 MB are used, also after the kill: 5 more fit into 12, 5 more don't.
spctl files upload "$work/data" --store "$url" >/dev/null 2>>"$work/spctl.log" || fail "a second upload"
code=0
spctl files upload "$work/data" --store "$url" >/dev/null 2>"$work/full.log" || code=$?
refused "the quota of .* is 12000000 bytes" "$work/full.log" "the quota isn't told"
# A store whose bucket goes away says so.
kill "$store_pid"
wait "$store_pid" || true
bucket PUT fleeting
sed -i 's|s3://bucket/store|s3://fleeting|' "$work/store/store.json"
start_store
bucket DELETE fleeting
for ((i = 0; i < 150; ++i)); do
  [ "$(curl -s -o "$work/health" -w '%{http_code}' "$url/health")" != 503 ] || break
  sleep 0.2
done
grep -q '"healthy":false,"reason":"looking for the bucket: status 404 NoSuchBucket"' "$work/health" ||
  fail "a store without its bucket is well: $(cat "$work/health")"
echo "packages went to a bucket and back"
