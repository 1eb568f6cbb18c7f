#!/usr/bin/env bash
# Makes the store of an earlier schema that the tests migrate: a run in the middle, as that version of uet left it when
# it was killed. One workstream is merged, the agent of the next was at work, a third waits; a second run is over.
#
#     bash tests/store/stores/make.sh PYTHON CHECKOUT-OF-THE-EARLIER-REVISION NAME
set -eu
python=$1 checkout=$2 name=$3
here=$(cd "$(dirname "$0")" && pwd)
scratch=/tmp/uet-store
mkdir "$scratch"
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/repository" && cd "$scratch/repository"
uet() { env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$scratch" LANG=C.UTF-8 PYTHONPATH="$checkout" "$python" -m uet_tui "$@"; }
git init -q --initial-branch=main
echo first >README.md
git add README.md
git -c user.name=Op -c user.email=op@example.org commit -qm first
rest='"openspec_change":"OS-1","ccpm_issue":1,"gate":1,"tool":"shell"'
echo "[{\"id\":\"ws-z\",\"tasks\":[\"echo z >z\"],\"files_scope\":[\"z\"],$rest}]" >../over.json
cat >../plan.json <<END
[{"id":"ws-a","tasks":["echo a >a"],"files_scope":["a"],$rest},
 {"id":"ws-b","tasks":["case \$UET_ATTEMPT in */1) sleep 1000;; esac","cp a b"],"files_scope":["b"],"depends_on":["ws-a"],$rest},
 {"id":"ws-c","tasks":["cp b c"],"files_scope":["c"],"depends_on":["ws-b"],$rest}]
END
uet run ../over.json --headless >/dev/null
sleep 1
uet run ../plan.json --headless >/dev/null &
until [ -e .uet/runs/*/attempts/ws-b/1/keeper.json ]; do sleep 0.1; done
sleep 2
kill -9 "$(cat "$(dirname .uet/runs/*/attempts/ws-b)"/../lock)"
keeper=$(sed 's/.*"pid": *\([0-9]*\).*/\1/' .uet/runs/*/attempts/ws-b/1/keeper.json)
agent=$(pgrep -P "$keeper" || true)
kill -9 "$keeper"
for pid in $agent; do kill -9 -- "-$pid" || true; done
rm -rf .uet/runs/*/{sandboxes,indexes,homes,forecast,wake,engine.log} .uet/tokens .uet/uet.db-shm .git/hooks
tar -C "$scratch" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - repository | gzip -9n >"$here/$name.tar.gz"
ls -l "$here/$name.tar.gz"
