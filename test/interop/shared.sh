#!/usr/bin/env bash
# What the scripts beside it have in common: they try our plugs and our client with other people's programs.
# Sourced, not run. Leaves in $work a folder that goes away, and in ${program[@]} how our program is started.

# Nothing here may take longer, whatever hangs.
if [[ ${BOUNDED-} != yes ]]; then
  BOUNDED=yes exec timeout --kill-after=10 "${LIMIT:-300}" bash "test/interop/${0##*/}"
fi

export TZ=UTC NO_COLOR=1
work=$(mktemp -d)
children=()
failed=0

clean_up() {
  ((${#children[@]} == 0)) || kill "${children[@]}" 2>/dev/null || true
  wait
  rm -rf "$work"
}
trap clean_up EXIT

# What was built, unless the source has changed since.
if [[ -f dist/main.js && -z $(find src -newer dist/main.js -print -quit) ]]; then
  program=(node dist/main.js)
else
  program=(node --import tsx src/main.ts)
fi

ours() { timeout 30 "${program[@]}" "$@"; }

# It cannot be tried here: the last line says why, and the exit code tells it from a failure.
give_up() {
  echo "$1"
  exit 77
}

same() { # same WHAT EXPECTED ACTUAL
  if [[ $2 == "$3" ]]; then
    echo "ok      $1: $3"
  else
    echo "FAILED  $1: expected $2, got $3"
    failed=1
  fi
}

# says WHAT PATTERN COMMAND...: the command succeeds, and a line that it prints matches the pattern.
says() {
  local what=$1 pattern=$2 output line
  shift 2
  if output=$("$@" 2>&1) && line=$(grep -m 1 -E -- "$pattern" <<<"$output"); then
    echo "ok      $what: $line"
  else
    printf 'FAILED  %s: nothing like %s in\n%s\n' "$what" "$pattern" "$output"
    failed=1
  fi
}

field() { # field EXPRESSION: of the JSON on standard input, which the expression calls it
  node -e 'const it = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(eval(process.argv[1]))' "$1"
}

wait_for() { # wait_for SECONDS COMMAND...: tries until the command succeeds
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}

# plays COUNT COMMAND...: starts what plays so many plugs and prints "host: ADDRESS:PORT" for each, its output
# going to $played; leaves their ports in ${ports[@]}.
plays() {
  local count=$1
  shift
  played=$work/played-${#children[@]}.log
  touch "$played"
  timeout 290 "$@" >"$played" 2>&1 &
  children+=($!)
  wait_for 20 all_play "$count" || {
    cat "$played"
    echo 'FAILED  the simulated plugs do not come up'
    exit 1
  }
}

all_play() {
  mapfile -t ports < <(sed -nE 's/.*host: .*:([0-9]+)$/\1/p' "$played")
  ((${#ports[@]} == $1))
}

finish() {
  ((failed == 0)) || exit 1
  exit 0
}
