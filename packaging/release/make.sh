#!/usr/bin/env bash
# make.sh FOLDER [--tag vX.Y.Z]: makes all files of a release in FOLDER/files, with checksums, and FOLDER/NOTES.md from
# the part of CHANGELOG.md. With --tag the version must be that of package.json and have a part of its own; without, it is
# a rehearsal: the notes are those of "Unreleased". Nothing is uploaded or published.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${1:?usage: make.sh FOLDER [--tag vX.Y.Z]}
version=$(node -p 'require("./package.json").version')
heading=Unreleased
if [[ ${2:-} == --tag ]]; then
  heading=$version
  [[ ${3:-} == "v$version" ]] || { echo "make.sh: the tag is ${3:-missing}, package.json says $version" >&2; exit 1; }
fi
rm -rf "$folder"
mkdir -p "$folder/files"

# From "## VERSION" to the next heading of that level.
awk -v wanted="$heading" '/^## / { inside = ($2 == wanted || $2 == "[" wanted "]"); next } inside' CHANGELOG.md >"$folder/NOTES.md"
grep -q '[^[:space:]]' "$folder/NOTES.md" || { echo "make.sh: CHANGELOG.md has no part \"$heading\"" >&2; exit 1; }

npm run --silent build
npm pack --silent --ignore-scripts --pack-destination "$folder/files" >/dev/null
for architecture in ${ARCHITECTURES:-amd64 arm64 armhf}; do
  bash packaging/deb/build.sh "$architecture" "$folder/files"
done
npm sbom --package-lock-only --omit=dev --sbom-format cyclonedx >"$folder/files/hs110-mqtt-$version.cdx.json"
cp examples/grafana/hs110.json "$folder/files/hs110-mqtt-$version-grafana.json"
(cd "$folder/files" && sha256sum -- * >SHA256SUMS && sha256sum --check --quiet SHA256SUMS)
ls -l "$folder/files"
