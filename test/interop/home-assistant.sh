#!/usr/bin/env bash
# Real Home Assistant with plugs of every kind, by way of Mosquitto: what is announced is there, what it is told to switch
# is switched, and it comes through outages. Exit code 77: Home Assistant cannot be had here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
LIMIT=900
# shellcheck source=test/interop/shared.sh
source test/interop/shared.sh

readonly VERSION=2026.11.0
readonly PYTHON=v0.0.0-3.14.6-20260610-1 # of github.com/kluctl/go-embed-python
readonly PARTS=test/interop/home-assistant
# What its MQTT integration loads. Its own constraints say which versions.
readonly REQUIREMENTS=(
  paho-mqtt aiohasupervisor av gazetteer-matcher ha-ffmpeg hassil home-assistant-frontend home-assistant-intents
  infrared-protocols mutagen numpy PyTurboJPEG rf-protocols
)

# What is fetched is kept for the next run.
home=${TMPDIR:-/tmp}/hs110-mqtt-home-assistant-$VERSION

# Home Assistant wants a newer Python than most systems have; a Go module carries one.
find_python() {
  python=$(command -v python3.14 || echo "$home/python/bin/python3.14")
  [[ -x $python ]] && return
  command -v go >/dev/null || give_up 'there is neither python3.14 nor go'
  local module
  module=$(cd "$work" && timeout 200 go mod download -json "github.com/kluctl/go-embed-python@$PYTHON" 2>"$work/go.log") ||
    give_up "Python 3.14 cannot be had: $(tail -n 1 "$work/go.log")"
  rm -rf "$home/python"
  mkdir -p "$home"
  cp -r "$(field it.Dir <<<"$module")/python/internal/data/linux-$(dpkg --print-architecture)" "$home/python"
  chmod -R u+w "$home/python"
  find "$home/python" -name '*.gz' -exec gunzip {} +
  chmod +x "$python"
}

install_home_assistant() {
  [[ -f $home/installed ]] && return
  rm -rf "$home/venv"
  "$python" -m venv --without-pip "$home/venv" || give_up 'its Python makes no virtual environment'
  local constraints=$home/venv/lib/python3.14/site-packages/homeassistant/package_constraints.txt
  into_venv "homeassistant==$VERSION"
  into_venv --constraint "$constraints" "${REQUIREMENTS[@]}"
  touch "$home/installed"
}

into_venv() {
  timeout 400 python3 -m pip --python "$home/venv/bin/python" install --quiet --disable-pip-version-check \
    --no-input "$@" >"$work/pip.log" 2>&1 ||
    give_up "pip cannot install Home Assistant: $(grep -m 1 ERROR "$work/pip.log" || tail -n 1 "$work/pip.log")"
}

# Runs a program by a script, with which the test starts it again after it has ended it.
run() { # run NAME COMMAND...
  local name=$1
  shift
  printf '#!/usr/bin/env bash\necho $$ >%q\nexec %s >>%q 2>&1\n' \
    "$work/$name.pid" "$(printf '%q ' "$@")" "$work/$name.out" >"$work/$name.sh"
  (bash "$work/$name.sh" &)
}

# shellcheck disable=SC2317 # the trap calls it
end_all() {
  local name
  for name in bridge hass mosquitto; do
    [[ ! -s $work/$name.pid ]] || kill "$(<"$work/$name.pid")" 2>/dev/null || true
  done
  wait_for 20 all_ended || true
  clean_up
}

# shellcheck disable=SC2317
all_ended() { ! cat "$work"/*.pid 2>/dev/null | xargs --no-run-if-empty kill -0 2>/dev/null; }
trap end_all EXIT

free_ports() { # free_ports COUNT
  node -e '
    const servers = Array.from({ length: Number(process.argv[1]) }, () => require("net").createServer());
    Promise.all(servers.map((server) => new Promise((done) => server.listen(0, "127.0.0.1", done)))).then(() => {
      console.log(servers.map((server) => server.address().port).join(" "));
      for (const server of servers) server.close();
    });' "$1"
}

start_broker() {
  command -v mosquitto >/dev/null || give_up 'there is no mosquitto'
  printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$broker" >"$work/mosquitto.conf"
  run mosquitto mosquitto -c "$work/mosquitto.conf"
}

start_museum() {
  local lines=() path model others
  plays 3 "${program[@]}" simulate --count 3 --port 0
  lines+=(
    "{ path: shed1, host: \"127.0.0.1:${ports[0]}\" }"
    "{ path: hall/shed2, host: \"127.0.0.1:${ports[1]}\", as: light }"
    "{ path: hall/shed3, host: \"127.0.0.1:${ports[2]}\" }"
  )
  while read -r path model others; do
    # shellcheck disable=SC2086 # options, each a word
    plays 1 "${program[@]}" simulate --model "$model" --port 0 $others
    lines+=("{ path: $path, host: \"127.0.0.1:${ports[0]}\" }")
  done <<'END'
desk HS300
foyer/dimmer HS220
foyer/porch ES20M
foyer/bulb KL130
foyer/white KL110
foyer/band KL430
klap KP125 --klap --discovery-port 0
END
  cat >"$work/museum.yaml" <<END
mqtt: { url: "mqtt://127.0.0.1:$broker" }
dataDir: $work/data
web: { listen: off }
discovery: { interval: 0 }
poll: { interval: 2s }
kasa: { username: kasa@tp-link.net, password: kasaSetup }
plugs:
$(printf '  - %s\n' "${lines[@]}")
END
  run bridge "${program[@]}" --config "$work/museum.yaml"
}

start_home_assistant() {
  mkdir "$work/hass"
  cp -r "$PARTS/custom_components" "$work/hass"
  {
    echo "http: { server_host: 127.0.0.1, server_port: $web }"
    echo 'logger: { default: warning }'
    echo "probe: { port: $probe, broker: $broker }"
  } >"$work/hass/configuration.yaml"
  run hass "$home/venv/bin/hass" --config "$work/hass" --skip-pip --log-file "$work/hass.log"
}

find_python
install_home_assistant
echo "Home Assistant $("$home/venv/bin/hass" --version), $("$python" --version)"
read -r broker web probe < <(free_ports 3)
start_broker
start_museum
start_home_assistant
code=0
timeout 400 python3 "$PARTS/museum.py" "$work" "$probe" || code=$?
((code != 77)) || exit 77
((code == 0)) || {
  cat "$work/bridge.out"
  failed=1
}
finish
