#!/usr/bin/env bash
# Wireshark's dissector of the plugs' protocol reads what our client and our simulated plugs say to each other on
# the loopback address, and finds the very JSON that was meant. Exit code 77: nothing can be captured here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/interop/shared.sh
source test/interop/shared.sh

readonly MARK_PORT=9 # where nobody listens; what is sent there only shows how far the capture is

capture() {
  command -v tshark >/dev/null || give_up 'there is no tshark'
  tshark --version 2>"$work/version.log" | head -n 1
  local filter="udp port $MARK_PORT" port
  for port in "${ports[@]}"; do filter+=" or port $port"; done
  timeout 280 tshark -q -i lo -B 64 -f "$filter" -w "$work/capture.pcapng" 2>"$work/tshark.log" &
  tshark=$!
  children+=("$tshark")
  wait_for 20 marked 'it begins' ||
    give_up "tshark cannot capture: $(grep -m 1 '^tshark: ' "$work/tshark.log" || echo 'nothing arrives')"
}

# Whether the capture has come as far as this mark.
# shellcheck disable=SC2317 # wait_for calls it
marked() {
  kill -0 "$tshark" 2>/dev/null || return 1
  printf '%s' "$1" >"/dev/udp/127.0.0.1/$MARK_PORT"
  grep -qa "$1" "$work/capture.pcapng" 2>/dev/null
}

end_capture() {
  wait_for 20 marked 'it ends'
  kill -INT "$tshark"
  wait "$tshark" || true
}

dissect() { # dissect FILTER OPTIONS...
  local filter=$1 port how=()
  shift
  for port in "${ports[@]}"; do how+=(-d "tcp.port==$port,tplink-smarthome" -d "udp.port==$port,tplink-smarthome"); done
  # Answers go out a byte at a time here, and a capture may have two of them the wrong way round.
  how+=(-o tcp.reassemble_out_of_order:TRUE)
  timeout 60 tshark -r "$work/capture.pcapng" "${how[@]}" -Y "$filter" "$@" 2>"$work/dissect.log"
}

exchange() {
  local port
  for port in "${ports[@]}"; do
    for command in info on energy off 'alias Süd☃'; do
      # shellcheck disable=SC2086 # a command and its argument
      ours plug "127.0.0.1:$port" $command --json >>"$work/client.log"
    done
  done
  same 'plugs that our client finds by UDP' "${#ports[@]}" \
    "$(ours discover "${ports[@]/#/--target=127.0.0.1:}" --timeout 2s --json | field it.length)"
}

# Many a dissector prints a dot for each byte that is not ASCII. A question may be on the wire once more than the plug
# saw it: hardware 1 hangs up after each answer, and it is asked again.
compare() { # compare PORT
  local port=$1 meant=$work/meant.txt read=$work/read.txt
  tail -n "+$from" "$played" | sed -n "s/^$port\t//p" | dotted >"$meant"
  dissect "tplink-smarthome && (tcp.port == $port || udp.port == $port)" -T fields -e tplink_smarthome.msg | dotted >"$read"
  if (($(wc -l <"$meant") < 12)) || ! diff "$meant" "$read" >"$work/diff.txt"; then
    echo "FAILED  port $port: what was meant (<) and what the dissector reads (>)"
    cat "$work/diff.txt"
    failed=1
  else
    echo "ok      port $port: $(wc -l <"$read") questions and answers are what was meant," \
      "answers in up to $(segments "$port") segments"
  fi
}

dotted() { LC_ALL=C tr '\200-\377' '.' | uniq; }

segments() {
  dissect "tplink-smarthome && tcp.srcport == $1" -T fields -e tcp.segment.count | sort -n | tail -n 1 | sed 's/^$/1/'
}

# Whether the capture lacks segments that were sent. What the dissector reads then says nothing about us.
incomplete() { [[ -n $(dissect 'tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment') ]]; }

plays 4 node --import tsx test/interop/observed-plugs.ts
for attempt in 1 2 3; do
  from=$(($(wc -l <"$played") + 1))
  capture
  exchange
  end_capture
  incomplete || break
  echo "capture $attempt lacks segments that were sent: $(grep -i dropped "$work/tshark.log" || echo 'tshark dropped none')"
done

echo
dissect "tplink-smarthome && (tcp.port == ${ports[0]} || udp.port == ${ports[0]})" | cut -c 1-160
echo
for port in "${ports[@]}"; do compare "$port"; done
same 'frames that the dissector finds malformed' 0 "$(dissect _ws.malformed | wc -l)"
same 'frames in which it finds no JSON' 0 "$(dissect 'tplink-smarthome && !json' | wc -l)"
finish
