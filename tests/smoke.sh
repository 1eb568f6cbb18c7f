#!/usr/bin/env bash
# Builds the wheel, installs it in an empty environment outside the checkout, and lets it run the demo there.
# Usage: tests/smoke.sh PYTHON   (one that has hatchling and build)
set -euo pipefail
builder=$(readlink -f "$(dirname "$1")")/$(basename "$1")
checkout=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset "${!GIT_@}" "${!UET_@}" "${!COVERAGE_@}" PYTHONPATH

cd "$checkout"
"$builder" -m build --wheel --no-isolation --outdir "$place" . >"$place/build.log" || { cat "$place/build.log"; exit 1; }
wheel=$(echo "$place"/uet-*.whl)
"$builder" - "$wheel" <<'PYTHON'
import pathlib, sys, zipfile

names = set(zipfile.ZipFile(sys.argv[1]).namelist())
for folder in ("config", "schema", "screens"):
    files = (file for file in pathlib.Path(folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    shipped = {f"uet_tui/_data/{file}" for file in files}
    missing = sorted(shipped - names)
    if missing or not shipped:
        sys.exit(f"the wheel lacks files of {folder}/: {missing or 'all'}")
PYTHON

"$builder" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$checkout/run.lock"
"$place/venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps "$wheel"

mkdir -p "$place/home" "$place/empty"
export HOME=$place/home TMPDIR=$place TERM=dumb
cd "$place/empty"
"$place/venv/bin/uet" --version
"$place/venv/bin/uet" demo --headless </dev/null
echo "smoke: the installed wheel ran the demo"
