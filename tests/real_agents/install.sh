#!/usr/bin/env bash
# Installs the agents that tests run as real programs, as pinned here; once, and again when the pins change.
# What cannot be installed leaves the reason in FOLDER/NAME.missing, by which its tests are skipped.
# Usage: tests/real_agents/install.sh PYTHON FOLDER
set -uo pipefail
python=$1
mkdir -p "$2/bin"
folder=$(cd "$2" && pwd)
pins=$(cd "$(dirname "$0")" && pwd)

# install NAME FUNCTION PIN...: runs FUNCTION unless it has installed these very pins.
install() {
  local name=$1 how=$2 sum log=$folder/$1.log
  shift 2
  sum=$(cat "$@" | sha256sum)
  [ "$(cat "$folder/$name.ready" 2>/dev/null)" = "$sum" ] && return
  rm -rf "${folder:?}/$name" "$folder/$name.ready" "$folder/$name.missing"
  echo "Installing $name (once, and again when its pins change)"
  if "$how" "$folder/$name" >"$log" 2>&1; then
    echo "$sum" >"$folder/$name.ready"
  else
    grep -v '^[[:space:]]*$' "$log" | tail -n 1 >"$folder/$name.missing"
    echo "$name could not be installed, its tests will be skipped: $(cat "$folder/$name.missing")"
  fi
}

aider() {
  "$python" -m venv "$1" &&
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$pins/aider.lock" &&
    ln -sf "$1/bin/aider" "$folder/bin/aider" && "$folder/bin/aider" --version
}

npm_agents() {
  command -v npm || { echo "npm is not installed"; return 1; }
  mkdir -p "$1" && cp "$pins/package.json" "$pins/package-lock.json" "$1" &&
    npm ci --prefix "$1" --no-audit --no-fund --loglevel=error &&
    for program in claude codex; do
      ln -sf "$1/node_modules/.bin/$program" "$folder/bin/$program" && "$folder/bin/$program" --version || return 1
    done
}

install aider aider "$pins/aider.lock" &
install npm npm_agents "$pins/package.json" "$pins/package-lock.json" &
wait
