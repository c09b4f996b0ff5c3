#!/bin/sh
# usage: build-kernel.sh [OUTPUT]
# Builds the User-Mode Linux kernel of the hardware tests from Debian's kernel source package, about ten minutes of one processor.
# Packages: linux-source-6.12 (or linux-source-6.1), gcc make flex bison bc libelf-dev libssl-dev xz-utils.
# OUTPUT: ~/.cache/docket/linux-uml. DOCKET_UML_JOBS: processes of make (1). DOCKET_UML_CONFIGURE_ONLY=1: stop after the configuration.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
output=${1:-${HOME:?}/.cache/docket/linux-uml}

fail() {
  echo "build-kernel: $1" >&2
  exit 1
}

for tool in gcc make flex bison bc xz tar; do
  command -v "$tool" > /dev/null || fail "$tool is missing: apt-get install gcc make flex bison bc libelf-dev libssl-dev xz-utils"
done

archive=
for candidate in /usr/src/linux-source-6.12.tar.xz /usr/src/linux-source-6.1.tar.xz; do
  if [ -z "$archive" ] && [ -f "$candidate" ]; then archive=$candidate; fi
done
[ -n "$archive" ] || fail 'no kernel source in /usr/src: apt-get install linux-source-6.12'

folder=$(mktemp -d "${TMPDIR:-/tmp}/docket-uml-XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
tar -C "$folder" --strip-components=1 -xf "$archive"
cd "$folder"

make -s ARCH=um KCONFIG_ALLCONFIG="$here/kernel.config" allnoconfig

# kconfig drops an option whose dependencies are not met without a word, and the tests would then fail far from the cause.
grep '^CONFIG_.*=[y"]' "$here/kernel.config" | while read -r wanted; do
  grep -qxF "$wanted" .config || fail "the kernel does not take $wanted"
done || exit 1
[ -z "${DOCKET_UML_CONFIGURE_ONLY:-}" ] || exit 0

make -s ARCH=um "-j${DOCKET_UML_JOBS:-1}" linux
strip -o linux.stripped linux
mkdir -p "$(dirname "$output")"
cp linux.stripped "$output.$$"
chmod 755 "$output.$$"
mv "$output.$$" "$output"
echo "$output"
