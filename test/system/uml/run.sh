#!/bin/sh
# usage: run.sh KERNEL SCRIPT [ARGUMENT]
# Boots KERNEL (User-Mode Linux) with this machine's root, read-only, and runs SCRIPT (an absolute path, without spaces) in it as root.
# Prints what SCRIPT prints, and exits as it does; 125 when the guest never got to its end.
# UML_SECONDS: the limit (120). UML_MEMORY: of the guest (512M).
set -u

here=$(cd "$(dirname "$0")" && pwd)
kernel=$1
script=$2
argument=${3:-}
state=$(mktemp -d "${TMPDIR:-/tmp}/docket-guest-XXXXXX")
trap 'rm -rf "$state"' EXIT

timeout --foreground --kill-after=5 "${UML_SECONDS:-120}" "$kernel" \
  "mem=${UML_MEMORY:-512M}" root=/dev/root rootfstype=hostfs rootflags=/ ro quiet \
  "uml_dir=$state/" umid=guest con0=null,fd:1 con=null \
  "init=$here/init.sh" "docket_script=$script" "docket_argument=$argument" "docket_path=$PATH" \
  < /dev/null > "$state/output" 2> "$state/errors"

# The console of the guest is a terminal and ends its lines as one does.
tr -d '\r' < "$state/output" > "$state/lines"
grep -v '^docket-guest-exit ' "$state/lines"
code=$(sed -n 's/^docket-guest-exit //p' "$state/lines")
if [ -z "$code" ]; then
  cat "$state/errors" >&2
  exit 125
fi
exit "$code"
