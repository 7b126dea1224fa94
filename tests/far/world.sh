# shellcheck shell=bash disable=SC2154  # bin, work and tools are the sourcing script's
# world.sh, to be sourced: six machines of one market, each in a network namespace with an address
# of its own, the others' files out of its sight, and a long way (delay, loss) between them.
#
# Needs $bin (the programs), $work (an empty folder), $tools (node_modules). The way is
# FAR_DELAY_MS (50, one way) and FAR_LOSS (0.01).
far_delay_ms=${FAR_DELAY_MS:-50}
far_loss=${FAR_LOSS:-0.01}
far_while=

far_roles=(chain store broker provider owner customer)
declare -A far_address=([chain]=10.77.0.2 [store]=10.77.0.3 [broker]=10.77.0.4 [provider]=10.77.0.5
  [owner]=10.77.0.6 [customer]=10.77.0.7)
declare -A far_pid=()
far_prefix=sp$$-
far_rpc=https://${far_address[chain]}:8545
far_events=$work/events
# What is handed from operator to operator: cards and network.json, nothing secret.
far_public=$work/public

# Why it can't run here; empty where it can.
far_unfit() {
  if [ "$(id -u)" != 0 ]; then echo "network namespaces need root"; return; fi
  if ! command -v runc >/dev/null; then echo "runc is missing"; return; fi
  if [ ! -c /dev/net/tun ]; then echo "there is no /dev/net/tun"; return; fi
  if ! unshare -n true 2>/dev/null; then echo "network namespaces aren't allowed"; fi
}

# far_exec ROLE COMMAND...: becomes the command on the role's machine. /mnt is that machine's disk.
far_exec() {
  local role=$1
  shift
  # shellcheck disable=SC2016
  exec nsenter --net="/run/netns/$far_prefix$role" unshare --mount --propagation private sh -c \
    'mount --bind "$1" /mnt && mount -t tmpfs -o size=1M none "$2" && cd /mnt && shift 2 && exec "$@"' \
    sh "$work/$role" "$work" "$@"
}

far_in() { (far_exec "$@"); }

far_spctl() { # far_spctl ROLE ARGUMENTS...
  local role=$1
  shift
  far_in "$role" "$bin/spctl" --home /mnt/home "$@"
}

far_field() { node -e 'let t="";process.stdin.on("data",d=>t+=d).on("end",()=>console.log(JSON.parse(t)[process.argv[1]]))' "$1"; }

# far_start NAME ROLE COMMAND...: a process in the background on the role's machine.
far_start() {
  local name=$1 role=$2
  shift 2
  far_exec "$role" "$@" >>"$work/$name.log" 2>&1 &
  far_pid[$name]=$!
}

far_start_daemon() { # far_start_daemon NAME: as it was started the first time
  case $1 in
    chain) far_start chain chain "$tools/@foundry-rs/anvil-linux-amd64/bin/anvil" --host 127.0.0.1 --port 8546 \
      --chain-id 31337 --state chain.json --state-interval 1 --accounts 1 --quiet ;;
    front) far_start front chain "$bin/far_front" --listen "${far_address[chain]}:8545" --to http://127.0.0.1:8546 \
      --certificate certificate.pem --key key.pem --make ;;
    store | broker | provider) far_start "$1" "$1" "$bin/spnode" "$1" --config "$1.json" ;;
  esac
}

# Anvil writes its state over the file that it had, each second, and never starts again with half a file. Chains that the
# demo stands for don't do that, so it is stopped where the file is whole.
far_stop_between_writes() {
  until
    kill -STOP "${far_pid[chain]}"
    node -e 'JSON.parse(require("fs").readFileSync(process.argv[1]))' "$work/chain/chain.json" 2>/dev/null
  do
    kill -CONT "${far_pid[chain]}"
    sleep 0.05
  done
}

far_kill() { # far_kill NAME: kill -9, told with the time
  if [ "$1" = chain ]; then far_stop_between_writes; fi
  kill -KILL "${far_pid[$1]}"
  wait "${far_pid[$1]}" 2>/dev/null || true
  echo "$(date +%s%3N) $1 killed" >>"$far_events"
}

far_restart() {
  far_start_daemon "$1"
  echo "$(date +%s%3N) $1 started again" >>"$far_events"
}

far_until() { # far_until SECONDS WHAT COMMAND...: waits until the command succeeds, as long as the process far_while, if any, lives
  local left=$(($1 * 20)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    if [ "$left" -le 0 ] || { [ -n "$far_while" ] && ! kill -0 "$far_while" 2>/dev/null; }; then
      echo "FAILED: $what" >&2
      return 1
    fi
    sleep 0.05
  done
}

far_answers() { # far_answers ROLE: asked by the customer, over the long way
  local port=8301
  [ "$1" = broker ] && port=8302
  [ "$1" = provider ] && port=8303
  far_in customer curl --silent --fail --max-time 5 --cacert home/ca.pem "https://${far_address[$1]}:$port/health"
}

far_machines() {
  local role members=()
  mkdir -p "$far_public"
  for role in "${far_roles[@]}"; do
    mkdir -p "$work/$role"
    ip netns add "$far_prefix$role"
    members+=("$far_prefix$role=${far_address[$role]}")
  done
  "$bin/far_link" --delay-ms "$far_delay_ms" --loss "$far_loss" "${members[@]}" \
    >"$work/link.log" 2>&1 &
  far_pid[link]=$!
  far_until 10 "the link isn't ready" grep -q ready "$work/link.log"
}

far_ether() { # far_ether ACCOUNT: for fees, by whoever runs the development chain
  far_in chain curl --silent --fail --header 'content-type: application/json' --output /dev/null \
    --data "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"anvil_setBalance\",\"params\":[\"$1\",\"0x21e19e0c9bab2400000\"]}" \
    http://127.0.0.1:8546
}

far_new_key() { # far_new_key ROLE NAME: prints the account, which has ether then
  local account
  account=$(far_spctl "$1" keys create "$2" --json | far_field address)
  far_ether "$account"
  echo "$account"
}

far_contracts() { # deployed over the long way, by an operator's own key
  local deployed
  cp "$far_public/rpc.pem" "$work/owner/rpc.pem"
  far_new_key owner deployer >/dev/null
  deployed=$(far_spctl owner contracts deploy --rpc "$far_rpc" --ca-file rpc.pem --key deployer --test-token --yes --json)
  far_start_block=$(far_field startBlock <<<"$deployed")
  far_token=$(far_field token <<<"$deployed")
  far_market=$(far_field market <<<"$deployed")
}

far_chain() { # the chain behind TLS, and the contracts
  far_start_daemon chain
  far_start_daemon front
  far_until 20 "the chain's front isn't ready" grep -q ready "$work/front.log"
  cp "$work/chain/certificate.pem" "$far_public/rpc.pem"
  far_until 20 "the chain doesn't answer" far_ether 0x0000000000000000000000000000000000000001
  far_contracts
}

# Every operator makes own keys and certificate; only cards travel.
far_network() {
  local authority provider_home=$work/provider/home
  far_in store "$bin/spnode" init store --folder /mnt --host "${far_address[store]}" >/dev/null
  far_in broker "$bin/spnode" init broker --folder /mnt --host "${far_address[broker]}" >/dev/null
  authority=$(far_new_key provider authority)
  far_in provider "$bin/spnode" init provider --folder /mnt --host "${far_address[provider]}" \
    --authority "$authority" --loader "$bin/sploader" --runc "$(command -v runc)" >/dev/null
  for role in store broker provider; do cp "$work/$role/card.json" "$far_public/$role.json"; done
  mkdir -p "$work/customer/public"
  cp "$far_public"/* "$work/customer/public/"
  far_spctl customer network create --rpc "$far_rpc" --chain-id 31337 --market "$far_market" --token "$far_token" \
    --start-block "$far_start_block" --store public/store.json --broker public/broker.json \
    --provider public/provider.json --ca-file public/rpc.pem >/dev/null
  for role in store broker provider owner; do
    mkdir -p "$work/$role/home"
    cp "$work/customer/home/network.json" "$work/customer/home/ca.pem" "$work/$role/home/"
  done
  far_in broker "$bin/spnode" init broker --folder /mnt --host "${far_address[broker]}" \
    --network home/network.json >/dev/null
  far_in provider "$bin/spnode" init provider --folder /mnt --host "${far_address[provider]}" \
    --authority "$authority" --loader "$bin/sploader" --runc "$(command -v runc)" \
    --network home/network.json >/dev/null
  [ -d "$provider_home" ]
}

far_daemons() {
  local role
  for role in store broker provider; do far_start_daemon "$role"; done
  for role in store broker provider; do far_until 30 "$role doesn't answer" far_answers "$role"; done
}

far_offers() { # the provider's deposit and offers, and the customer's purse
  local action
  action=$(far_field action <"$work/provider/card.json")
  far_ether "$action"
  far_spctl provider tokens faucet 2000 --key authority >/dev/null
  far_spctl provider providers register --key authority --action-key "$action" --deposit 1000 >/dev/null
  far_spctl provider offers create compute --key authority --platform state/platform --price 2 --memory 4G \
    --disk 4G --cpus 2 >/dev/null
  far_spctl provider offers create storage --key authority --price 0.01 >/dev/null
  far_new_key customer me >/dev/null
  far_spctl customer tokens faucet 1000 >/dev/null
}

# Fails where a connection over the way takes less than there and back again.
far_long() {
  local least=$((2 * far_delay_ms)) connected
  connected=$(far_in customer curl --silent --max-time 30 --cacert home/ca.pem --output /dev/null --write-out '%{time_connect}' \
    "https://${far_address[store]}:8301/health")
  echo "a connection takes $connected s"
  awk -v took="$connected" -v least="$least" 'BEGIN { exit !(took * 1000 >= least) }' && return
  echo "FAILED: there and back again is $least ms or more" >&2
  return 1
}

# Ends the link, and fails where what it counted isn't the loss and the delay that were asked for. Fewer packets than these
# few thousand wouldn't tell.
far_lossy() {
  kill -TERM "${far_pid[link]}"
  wait "${far_pid[link]}"
  unset 'far_pid[link]'
  # shellcheck disable=SC2016
  tail -n 1 "$work/link.log" | node -e '
    const [loss, delay] = process.argv.slice(1).map(Number);
    const { taken, delivered, underWay, leastMs } = JSON.parse(require("fs").readFileSync(0));
    const lost = taken - delivered - underWay;
    console.log(`the link took ${taken} packets and lost ${lost}; none arrived in less than ${leastMs} ms`);
    const fits = taken >= 5000 && lost >= 0.3 * loss * taken && lost <= 3 * loss * taken && leastMs >= delay;
    if (!fits) console.error(`FAILED: of 5000 packets or more ${loss} are lost, and each takes ${delay} ms or more`);
    process.exit(fits ? 0 : 1)' "$far_loss" "$far_delay_ms"
}

far_up() {
  far_machines
  far_chain
  far_network
  far_daemons
  far_offers
}

far_down() {
  local name role
  for name in "${!far_pid[@]}"; do kill "${far_pid[$name]}" 2>/dev/null || true; done
  wait
  for role in "${far_roles[@]}"; do ip netns del "$far_prefix$role" 2>/dev/null || true; done
}
