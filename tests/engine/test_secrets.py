"""Secrets that agents, gates and set-up are given are nowhere afterwards: not on disk, not in the store, not shown."""

import base64
import json
import logging
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.support.wait import until
from uet_tui.cli import run as run_uet
from uet_tui.core.states import AttemptState, RunState, WorkstreamState
from uet_tui.engine import leaks
from uet_tui.engine.engine_log import log_to_file
from uet_tui.engine.leaks import take_out_secrets

KEY = "sk-proj-Zq8/T+v1_x7Lm9-end"
TOKEN = 'to"k\\en\u00e9 with more'
LOGIN = "login-9f8e7d6c5b4a"
SET = "set-0011223344556677"
SECRETS = {
    "OPENAI_API_KEY": KEY,
    "SERVICE_TOKEN": TOKEN,
    "GATE_PASSWORD": "gate-Pa55word!",
    "SETUP_SECRET": "set-up-Secret",
}

PRINTS = """
import base64, json, os, sys, time
key, token, own = os.environ["OPENAI_API_KEY"], os.environ["SERVICE_TOKEN"], os.environ["LOCAL_KEY"]
print("key", key, token, own, flush=True)
print("to stderr", key, file=sys.stderr, flush=True)
for at in range(0, len(key), 5):
    os.write(1, key[at : at + 5].encode())
    time.sleep(0.01)
os.write(1, ("\\n\\x1b[31m" + key[:7] + "\\x1b[0m" + key[7:] + "\\n").encode())
os.write(1, "\\0".join(key).encode() + b"\\n")
print(json.dumps({"key": token, "nested": json.dumps({"key": token})}))
print(base64.b64encode(b"user:" + key.encode() + b"!").decode(), flush=True)
login = os.path.join(os.environ["HOME"], ".auth.json")
print(open(login).read() if os.path.exists(login) else "no login", flush=True)
folder = sys.argv[1]
if folder:
    open(os.path.join(folder, "session.log"), "w").write("I was given " + key)
"""


@pytest.fixture
def secret(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene whose operator has secrets, and a program that tells them all."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".auth.json").write_text(json.dumps({"access_token": LOGIN}))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(scene.repository.path)
    (tmp_path / "prints.py").write_text(PRINTS)
    return scene


def sets(tmp_path: Path) -> tuple[str, ...]:
    return (
        "agents.shell.env=[PATH, OPENAI_API_KEY, SERVICE_TOKEN]",
        f"agents.shell.set={{LOCAL_KEY: {SET}}}",
        "agents.shell.home=own",
        "agents.shell.login=[.auth.json]",
        "agents.shell.command=['/bin/sh', '-e', '{prompt_file}', '{folder}']",
        "gates.GATE_UNIT.env=[PATH, GATE_PASSWORD]",
        "gates.GATE_UNIT.commands=['echo $GATE_PASSWORD; test ! -e red || { echo red: $GATE_PASSWORD >&2; exit 1; }']",
        "sandbox.setup=['echo set up with $SETUP_SECRET']",
        "overlap=allow",
        "workers=2",
    )


def needles() -> Iterator[bytes]:
    """What must not be found: each secret, and the middle of what its base64 is at each of three beginnings."""
    for value in (*SECRETS.values(), LOGIN, SET):
        yield value.encode()
        yield json.dumps(value)[1:-1].encode()
        for shift in range(3):
            yield base64.b64encode(b" " * shift + value.encode() + b"   ")[4:-8]


def hits(where: str, data: bytes) -> list[str]:
    plain = data.replace(b"\x1b[31m", b"").replace(b"\x1b[0m", b"").replace(b"\0", b"")
    return [f"{where}: {needle!r}" for needle in set(needles()) if needle in data or needle in plain]


def found_in(folder: Path) -> list[str]:
    """Where below a folder a secret is: in files as they are, in git's objects as they are told."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        data = path.read_bytes()
        found += hits(str(path), data)
        if "objects" in path.parts:
            try:
                found += hits(f"{path} (inflated)", zlib.decompress(data))
            except zlib.error:
                continue
    return found


def objects_of(repository: Path) -> bytes:
    done = subprocess.run(
        ["git", "--git-dir", repository, "cat-file", "--batch-all-objects", "--batch"], capture_output=True, check=True
    )
    return done.stdout


def told(capsys: pytest.CaptureFixture[str], *words: str) -> bytes:
    run_uet(words)
    captured = capsys.readouterr()
    return (captured.out + captured.err).encode()


def test_no_secret_is_anywhere_after_a_run(secret: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prints = f"{sys.executable} {tmp_path}/prints.py"
    once = {"circuit_breaker": {"max_attempts": 1}}
    gate = [{"type": "GATE_UNIT"}]
    opened = secret.begin(
        workstream("ws-prints", f'{prints} "$1"', "echo a > a.txt", test_gates=gate),
        workstream("ws-fails", f"{prints} ''", 'echo "error: 401 for $OPENAI_API_KEY" >&2; exit 3', **once),
        workstream("ws-writes", "mkdir -p src", 'echo "key = \\"$OPENAI_API_KEY\\"" > src/config.py', **once),
        workstream("ws-red", "echo > red", test_gates=gate, **once),
        sets=sets(tmp_path),
    )
    log = log_to_file(opened.place)
    try:
        view = secret.finish(60)
        logging.getLogger("uet_tui.engine").warning("could not use %s", KEY)
    finally:
        log.close()
    shown = {ws.id: ws for ws in view.workstreams}
    assert shown["ws-prints"].state is WorkstreamState.MERGED, shown["ws-prints"].reason
    assert shown["ws-fails"].reason.endswith("exit 3: error: 401 for «OPENAI_API_KEY»")
    assert shown["ws-writes"].reason.endswith("wrote a secret into src/config.py: the value of OPENAI_API_KEY")
    assert "red: «GATE_PASSWORD»" in shown["ws-red"].reason
    assert view.state is RunState.COMPLETED or view.state is RunState.FAILED

    output = (attempt_folder(secret, "ws-prints") / "output.log").read_text()
    assert output.count("«OPENAI_API_KEY»") == 6
    assert output.count("«SERVICE_TOKEN»") == 3
    assert output.count("«LOCAL_KEY»") == 1
    assert '{"access_token": "«.auth.json access_token»"}' in output
    session = attempt_folder(secret, "ws-prints") / "own/session.log"
    assert session.read_text() == "I was given «OPENAI_API_KEY»"
    ref = f"refs/uet/{secret.run}/ws-writes.attempt-1"
    secret.until_published(ref)
    assert secret.file("src/config.py", ref) == 'key = "«OPENAI_API_KEY»"', "the work is kept, without the secret"

    homes = secret.home.run(secret.run).folder / "homes"
    allowed = {str(path) for path in homes.rglob(".auth.json")}
    assert [hit for hit in found_in(secret.home.folder) if hit.partition(":")[0] not in allowed] == []
    assert all(path.stat().st_mode & 0o777 == 0o700 for path in homes.glob("*/*"))
    for git in (secret.home.control, secret.repository.path / ".git"):
        assert hits(str(git), objects_of(git)) == []
    for words in (
        ["status", "--json"], ["status"], ["show", "ws-prints"], ["show", "ws-writes"], ["show", "ws-red", "--json"],
        ["why", "ws-fails"], ["events", "--json"], ["events"], ["costs"], ["workers"], ["config"], ["config", "--json"],
    ):  # fmt: skip
        assert hits(" ".join(words), told(capsys, *words)) == [], words


def test_what_an_agent_noted_goes_though_its_keeper_was_killed(secret: Scene, tmp_path: Path) -> None:
    script = 'echo "$OPENAI_API_KEY" > "$1/notes.txt"; test -e second || { touch second; kill -9 $PPID; sleep 60; }'
    opened = secret.begin(workstream("ws-a", f"cd {tmp_path}; {script}", 'echo a > "$OLDPWD/a"'), sets=sets(tmp_path))
    secret.finish()
    assert secret.sql("SELECT state FROM attempts ORDER BY number") == [(AttemptState.LOST,), (AttemptState.SUCCEEDED,)]
    assert (attempt_folder(secret, "ws-a") / "own/notes.txt").read_text() == "«OPENAI_API_KEY»\n"
    missing = tmp_path / "never-began"
    assert take_out_secrets(opened.place, opened.place.sandbox(1), opened.place.base, missing) == {}


def test_a_secret_in_a_file_where_a_folder_was_is_found(secret: Scene, tmp_path: Path) -> None:
    once = {"circuit_breaker": {"max_attempts": 1}}
    secret.begin(workstream("ws-a", "rm -r src", 'echo "$OPENAI_API_KEY" > src', **once), sets=sets(tmp_path))
    secret.finish()
    found = secret.view().workstream("ws-a")
    assert found is not None
    assert found.reason.endswith("wrote a secret into src: the value of OPENAI_API_KEY")


def test_a_file_that_a_secret_cannot_be_taken_out_of_is_not_taken(
    secret: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(leaks, "redact_file", refused)
    once = {"circuit_breaker": {"max_attempts": 1}}
    secret.begin(workstream("ws-a", "mkdir h", 'echo "$OPENAI_API_KEY" > h/key', **once), sets=sets(tmp_path))
    secret.finish()
    found = secret.view().workstream("ws-a")
    assert found is not None
    assert found.state is WorkstreamState.FAILED
    assert found.reason.endswith("no secret can be taken out of h/key: Permission denied")
    assert hits("objects", objects_of(secret.home.control)) == []


@pytest.mark.parametrize(
    ("script", "path", "kept"),
    [
        ('ln -s "$OPENAI_API_KEY" link', "link", "«OPENAI_API_KEY»"),
        ('mkdir -p "h/$OPENAI_API_KEY"; echo x > "h/$OPENAI_API_KEY/x"', "h/«OPENAI_API_KEY»/x", "x"),
        ('mv src "$LOCAL_KEY"', "«LOCAL_KEY»/app.py", "app"),
        ('echo "$LOCAL_KEY" > node_modules/ours', "node_modules/ours", "«LOCAL_KEY»"),
    ],
)
def test_a_secret_is_found_in_names_and_links_and_below_what_is_kept(
    secret: Scene, tmp_path: Path, script: str, path: str, kept: str
) -> None:
    secret.repository.write("node_modules/ours", "ours\n")
    secret.repository.write("src/app.py", "app\n")
    secret.repository.commit("Begin with a folder that is kept elsewhere")
    scene = Scene(secret.repository)
    once = {"circuit_breaker": {"max_attempts": 1}}
    scene.begin(workstream("ws-a", script, **once), sets=sets(tmp_path))
    scene.finish()
    found = scene.view().workstream("ws-a")
    assert found is not None
    assert f"wrote a secret into {path}: the value of " in found.reason
    ref = f"refs/uet/{scene.run}/ws-a.attempt-1"
    scene.until_published(ref)
    assert scene.file(path, ref) == kept
    for git in (scene.home.control, scene.repository.path / ".git"):
        assert hits(str(git), objects_of(git)) == []


def test_a_folder_that_is_too_far_inside_to_be_looked_into_is_not_taken(secret: Scene, tmp_path: Path) -> None:
    once = {"circuit_breaker": {"max_attempts": 1}}
    deeper = f"n={'n' * 250}; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do mkdir $n; cd -P $n; done; d={'d' * 50}"
    go_on = "while mkdir $d && cd -P $d && test $(pwd | wc -c) -lt 4000; do :; done"
    end = f'mkdir {"e" * 120}; cd -P {"e" * 120}; echo "$OPENAI_API_KEY" > key'
    secret.begin(workstream("ws-a", f"{deeper}; {go_on}; {end}", **once), sets=sets(tmp_path))
    secret.finish()
    found = secret.view().workstream("ws-a")
    assert found is not None
    assert found.state is WorkstreamState.FAILED
    assert "File name too long" in found.reason
    assert hits("objects", objects_of(secret.home.control)) == []


def test_a_value_that_the_repository_holds_anyway_is_no_secret_of_it(secret: Scene, tmp_path: Path) -> None:
    secret.repository.write("compose.yaml", f"password: {KEY}\n")
    secret.repository.commit("Begin with a password")
    scene = Scene(secret.repository)
    scene.begin(workstream("ws-a", "echo more >> compose.yaml"), sets=sets(tmp_path))
    scene.finish()
    assert scene.state("ws-a") is WorkstreamState.MERGED
    assert scene.file("compose.yaml") == f"password: {KEY}\nmore"


def test_a_secret_in_a_file_that_is_ignored_goes_and_the_work_is_merged(secret: Scene, tmp_path: Path) -> None:
    secret.repository.write(".gitignore", "*.log\n")
    secret.repository.commit("Ignore logs")
    scene = Scene(secret.repository)
    scene.begin(workstream("ws-a", "echo $OPENAI_API_KEY > own.log; echo a > a.txt"), sets=sets(tmp_path))
    scene.finish()
    assert scene.state("ws-a") is WorkstreamState.MERGED
    (log,) = scene.home.run(scene.run).folder.glob("sandboxes/*/own.log")
    assert log.read_text() == "«OPENAI_API_KEY»\n"


def test_looking_ahead_keeps_no_secret_of_work_that_goes_on(secret: Scene, tmp_path: Path) -> None:
    go = tmp_path / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    leak = 'echo "$OPENAI_API_KEY" > leak.txt'
    opened = secret.begin(
        *(workstream(f"ws-{n}", leak, f"echo {n} > README.md", wait, "rm leak.txt") for n in "ab"),
        sets=(*sets(tmp_path), "forecast_seconds=0.05"),
    )
    until(lambda: any(pair.verdict == "conflict" for pair in secret.view().pairs), 20, "the pair to be looked at")
    forecast = opened.place.paths.forecast
    assert forecast.is_dir()
    assert found_in(forecast) == []
    go.touch()
    secret.finish()
    states = secret.sql("SELECT DISTINCT state FROM attempts WHERE run = ?", secret.run)
    assert states == [(AttemptState.SUCCEEDED,)], "what is written and taken back does no harm"
