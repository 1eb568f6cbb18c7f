#!/usr/bin/env bash
# Installs the agents that tests run as real programs, as pinned in pins/; once, and again when the pins change.
# What cannot be installed leaves the reason in FOLDER/NAME.missing, by which its tests are skipped.
# Usage: tests/real_agents/install.sh PYTHON FOLDER NAME...   (a NAME is that of a lock or a folder in pins/)
set -uo pipefail
python=$1
mkdir -p "$2/bin"
folder=$(cd "$2" && pwd)
pins=$(cd "$(dirname "$0")/pins" && pwd)
shift 2

# Installs what is pinned under a name, unless these very pins are installed.
install() {
  local name=$1 how=from_npm pinned=$pins/$1/package-lock.json log=$folder/$1.log sum
  [ -d "$pins/$name" ] || { how=from_pip pinned=$pins/$name.lock; }
  sum=$(sha256sum <"$pinned")
  [ "$(cat "$folder/$name.ready" 2>/dev/null)" = "$sum" ] && return
  rm -rf "${folder:?}/$name" "$folder/$name.ready" "$folder/$name.missing"
  echo "Installing $name (once, and again when its pins change)"
  if "$how" "$name" >"$log" 2>&1; then
    echo "$sum" >"$folder/$name.ready"
  else
    grep -v '^[[:space:]]*$' "$log" | tail -n 1 >"$folder/$name.missing"
    echo "$name could not be installed, its tests will be skipped: $(cat "$folder/$name.missing")"
  fi
}

from_pip() {
  "$python" -m venv "$folder/$1" &&
    "$folder/$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$pins/$1.lock" &&
    ln -sf "$folder/$1/bin/$1" "$folder/bin/$1" && "$folder/bin/$1" --help
}

from_npm() {
  command -v npm || { echo "npm is not installed"; return 1; }
  mkdir -p "$folder/$1" && cp "$pins/$1/package.json" "$pins/$1/package-lock.json" "$folder/$1" &&
    npm install --no-save --prefix "$folder/$1" --no-audit --no-fund --loglevel=error || return 1
  for program in "$folder/$1"/node_modules/.bin/{claude,codex,gemini,opencode}; do
    [ -e "$program" ] || continue
    ln -sf "$program" "$folder/bin/" && "$program" --version || return 1
  done
}

for name in "$@"; do
  install "$name" &
done
wait
