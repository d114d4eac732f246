#!/usr/bin/env bash
# Other people's client, python-kasa, drives our simulated plugs: what it does is read back by our own client, and
# what ours does by python-kasa. Exit code 77: python-kasa cannot be had here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=test/interop/shared.sh
source test/interop/shared.sh

install_kasa() {
  command -v python3 >/dev/null || give_up 'there is no python3'
  timeout 60 python3 -m venv "$work/venv" >"$work/pip.log" 2>&1 ||
    give_up "python3 makes no virtual environment: $(tail -n 1 "$work/pip.log")"
  timeout 180 "$work/venv/bin/pip" install --quiet --disable-pip-version-check python-kasa >"$work/pip.log" 2>&1 ||
    give_up "pip cannot install python-kasa: $(tail -n 1 "$work/pip.log")"
  "$work/venv/bin/kasa" --version
}

# Of the plug that is driven at the moment.
kasa() { timeout 30 "$work/venv/bin/kasa" --host 127.0.0.1 --port "$port" --type plug "$@"; }
plug() { ours plug "127.0.0.1:$port" "$@"; }
our() { plug "$1" --json | field "it.$2"; } # our COMMAND FIELD

finds() { # finds WHAT ALIAS WHERE...: its discovery lists the plug
  says "$1" "^127\.0\.0\.1 .* $2\$" \
    timeout 30 "$work/venv/bin/kasa" --port "$port" --discovery-timeout 2 "${@:3}" discover list
}

drive() { # drive HARDWARE ALIAS
  local hardware=$1 alias=$2
  printf '\nhardware %s\n' "$hardware"

  same 'state: who it is' "$hardware $alias" \
    "$(kasa --json state | field 'it.system.get_sysinfo.hw_ver + " " + it.system.get_sysinfo.alias')"

  says on 'Turning on' kasa on
  same 'our client then reads' ON "$(our info state)"
  says state 'Device state: True' kasa state
  says energy '^Power: (39|40)' kasa energy
  same 'our client reads as much' true "$(our energy 'power > 39 && it.power < 41')"
  says 'energy by day' "^$(date +%-d), [0-9.e-]+$" kasa energy --month "$(date +%Y-%m)"
  says 'energy by month' "^$(date +%-m), [0-9.e-]+$" kasa energy --year "$(date +%Y)"
  says 'how long it was on' '^Today: 0 minutes' kasa usage

  says off 'Turning off' kasa off
  same 'our client then reads' OFF "$(our info state)"
  says state 'Device state: False' kasa state
  says energy '^Power: 0(\.0)? W' kasa energy
  plug on >"$work/on.log"
  says 'state after our client switched it on' 'Device state: True' kasa state

  says 'led off' 'Turning led to False' kasa led false
  same 'our client then reads' OFF "$(our info led)"
  says 'led on' 'Turning led to True' kasa led true
  same 'our client then reads' ON "$(our info led)"

  says 'alias' 'Alias set to: Webstuhl ☃ Süd' kasa alias 'Webstuhl ☃ Süd'
  same 'our client then reads' 'Webstuhl ☃ Süd' "$(our info alias)"

  says 'time set' '^New time: ' kasa time set 2031 2 3 4 5 6
  # Hardware 1 accepts that, and keeps its own time.
  if [[ $hardware == 2.0 ]]; then
    same 'our client then reads' '2031-02-03 04:05' "$(our time 'time.slice(0, 16)')"
  fi
  TZ=Europe/Berlin plug set-time >"$work/time.log"
  says 'time after our client has set it to that of Berlin' \
    "^Current time: $(TZ=Europe/Berlin date +%F) .*$(TZ=Europe/Berlin date +%:z)" kasa time

  says 'wifi scan' 'Found 2 wifi networks' kasa wifi scan

  # `kasa schedule list` of 0.12 fails before it asks the plug anything; the library does it, and on one
  # connection for as long as the plug keeps it.
  plug schedule add 07:30 on weekdays >"$work/rule.log"
  says 'schedule list, one connection' 'rules: 450 TurnOn 0111110; then 0; switched: on off' \
    timeout 30 "$work/venv/bin/python" test/interop/python-kasa-rules.py 127.0.0.1 "$port"
  same 'our client then reads as many rules' 0 "$(our schedule rules.length)"

  finds 'discovery of its address' 'Webstuhl ☃ Süd' --host 127.0.0.1
  finds 'discovery by --target' 'Webstuhl ☃ Süd' --target 127.0.0.1
}

# As kasa, with newer firmware; of the account and version that are in force.
klap() {
  timeout 30 "$work/venv/bin/kasa" --host 127.0.0.1 --port "$port" --encrypt-type klap --login-version "$version" \
    --device-family IOT.SMARTPLUGSWITCH --username "$HS110_MQTT_KASA_USERNAME" --password "$HS110_MQTT_KASA_PASSWORD" "$@"
}

drive_klap() { # drive_klap VERSION
  version=$1
  printf '\nKLAP, version %s\n' "$version"
  says on 'Turning on' klap on
  same 'our client then reads' ON "$(our info state)"
  says state 'Device state: True' klap state
  says energy '^Power: (39|40)' klap energy
  same 'our client reads as much' true "$(our energy 'power > 39 && it.power < 41')"
  says 'led off' 'Turning led to False' klap led false
  same 'our client then reads' OFF "$(our info led)"
  says alias 'Alias set to: Webstuhl ☃ Süd' klap alias 'Webstuhl ☃ Süd'
  same 'our client then reads' 'Webstuhl ☃ Süd' "$(our info alias)"
  says off 'Turning off' klap off
  plug on >"$work/on.log"
  says 'state after our client switched it on' 'Device state: True' klap state
}

drive_strip() { # drive_strip KASA: kasa or klap
  says 'six outlets' 'Outlet 6 \(Socket' "$1" state
  says 'one of them on' 'Turning on Outlet 2' "$1" on --child-index 1
  same 'our client then reads' 010000 "$(relays)"
  says 'its energy' '^Power: (39|4[01])' "$1" energy --child-index 1
  says 'all of them off' 'Turning off' "$1" off
  same 'our client then reads' 000000 "$(relays)"
}

# drive_light KASA LIGHT: a command of kasa, and which part of an answer is its light
drive_light() {
  says on 'Turning on' "$1" on
  says brightness '[Bb]rightness' "$1" brightness 40
  same 'our client then reads' 40 "$(plug send '{"system":{"get_sysinfo":{}}}' --json | field "it.system.get_sysinfo$2brightness")"
  says off 'Turning off' "$1" off
  says state 'Device state: False' "$1" state
}

relays() {
  plug send '{"system":{"get_sysinfo":{}}}' --json |
    field 'it.system.get_sysinfo.children.map(({ state }) => state).join("")'
}

install_kasa
plays 2 "${program[@]}" simulate --count 2 --port 0
both=("${ports[@]}")
port=${both[0]}
drive 2.0 'Shed 1'
port=${both[1]}
drive 1.0 'Shed 2'

printf '\na strip\n'
plays 1 "${program[@]}" simulate --model HS300 --port 0
port=${ports[0]}
strip() { timeout 30 "$work/venv/bin/kasa" --host 127.0.0.1 --port "$port" --type strip "$@"; }
drive_strip strip

printf '\na dimmer\n'
plays 1 "${program[@]}" simulate --model HS220 --port 0
port=${ports[0]}
dimmer() { timeout 30 "$work/venv/bin/kasa" --host 127.0.0.1 --port "$port" --type dimmer "$@"; }
drive_light dimmer .

printf '\na bulb\n'
plays 1 "${program[@]}" simulate --model KL130 --port 0
port=${ports[0]}
bulb() { timeout 30 "$work/venv/bin/kasa" --host 127.0.0.1 --port "$port" --type bulb "$@"; }
drive_light bulb .light_state.
says 'colour temperature' '[Tt]emperature' bulb temperature 4000

export HS110_MQTT_KASA_USERNAME='Staff@museum.example' HS110_MQTT_KASA_PASSWORD='correct horse'
account=(--username "$HS110_MQTT_KASA_USERNAME" --password "$HS110_MQTT_KASA_PASSWORD" --discovery-port 0)
for version in 1 2; do
  plays 1 "${program[@]}" simulate --model HS110 --klap "$version" "${account[@]}" --port 0
  port=${ports[0]}
  drive_klap "$version"
done
printf '\na strip in KLAP\n'
plays 1 "${program[@]}" simulate --model HS300 --klap "${account[@]}" --port 0
port=${ports[0]}
drive_strip klap
says 'another password' 'did not match our challenge' \
  bash -c "HS110_MQTT_KASA_PASSWORD=else; $(declare -f klap); port=$port version=2 work=$work klap state || true"

printf '\nbroadcast\n'
# Who is bound to one address hears no broadcast.
plays 1 "${program[@]}" simulate --count 1 --host 0.0.0.0 --port 0
port=${ports[0]}
finds 'discovery by broadcast' 'Shed 1' --target 127.255.255.255
finish
