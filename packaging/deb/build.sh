#!/usr/bin/env bash
# build.sh ARCHITECTURE [FOLDER]: makes the Debian package of this clone for amd64, arm64 or armhf, in FOLDER (default: dist-deb).
# It needs npm and dpkg-deb, and no root; what is native comes from the registry ready-made for that architecture.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
architecture=${1:-$(dpkg --print-architecture)}
target=${2:-dist-deb}
case $architecture in
  amd64) cpu=x64 ;;
  arm64) cpu=arm64 ;;
  armhf) cpu=arm ;;
  *) echo "build.sh: there is no package for $architecture; amd64, arm64 and armhf have one" >&2; exit 2 ;;
esac
version=$(node -p 'require("./package.json").version')
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
umask 022
chmod 0755 "$root"

# The program, with exactly the packages that the lock file names.
lib=$root/usr/lib/hs110-mqtt
mkdir -p "$lib"
[[ -f dist/main.js ]] || npm run --silent build
cp package.json package-lock.json .npmrc "$lib"
(cd "$lib" && npm ci --silent --omit=dev --ignore-scripts --os=linux --cpu="$cpu" --libc=glibc)
rm -rf "$lib/package-lock.json" "$lib/.npmrc" "$lib"/node_modules/@libsql/*-musl* "$lib/node_modules/.bin"
cp -R dist "$lib"
cp -R config "$lib"
find "$lib/dist" "$lib/config" -type f -exec chmod 0644 {} +

install -D -m 0755 packaging/deb/hs110-mqtt "$root/usr/bin/hs110-mqtt"
install -D -m 0644 packaging/systemd/hs110-mqtt.service "$root/lib/systemd/system/hs110-mqtt.service"
install -D -m 0644 packaging/deb/hs110-mqtt.yaml "$root/etc/hs110-mqtt/hs110-mqtt.yaml"
install -d "$root/usr/share/bash-completion/completions" "$root/usr/share/doc/hs110-mqtt"
node dist/main.js completion bash >"$root/usr/share/bash-completion/completions/hs110-mqtt"
cp -R README.md docs LICENSE "$root/usr/share/doc/hs110-mqtt"
mv "$root/usr/share/doc/hs110-mqtt/LICENSE" "$root/usr/share/doc/hs110-mqtt/copyright"
gzip -9n <CHANGELOG.md >"$root/usr/share/doc/hs110-mqtt/changelog.gz"
find "$root/usr/share" -type f -exec chmod 0644 {} +

mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: hs110-mqtt
Version: $version
Architecture: $architecture
Maintainer: hs110-mqtt <hs110-mqtt@users.noreply.github.com>
Section: net
Priority: optional
Depends: nodejs (>= 20.17), systemd
Suggests: mosquitto
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Description: MQTT bridge for TP-Link Kasa HS110 smart plugs
 It switches plugs of that family locally, without cloud or account, confirms
 every command, and announces them to Home Assistant.
 .
 Node.js 20.17 or newer is needed: Debian 13 has it, Debian 12 does not
 (its own is 18; NodeSource has packages of newer ones).
CONTROL
echo /etc/hs110-mqtt/hs110-mqtt.yaml >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 0755 "packaging/deb/$script" "$root/DEBIAN/$script"; done
(cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$target"
dpkg-deb --root-owner-group -Zxz --build "$root" "$target/hs110-mqtt_${version}_$architecture.deb"
