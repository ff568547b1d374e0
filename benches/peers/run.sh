#!/usr/bin/env bash
# Installs the engines of requirements.txt in a venv, and runs run.py there:
#   benches/peers/run.sh --podtrail target/release/podtrail LOGS…
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
venv="${PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/podtrail/peers}"
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
exec "$venv/bin/python" "$here/run.py" "$@"
