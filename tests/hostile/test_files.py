"""What a hostile agent makes of files: links, what is no file, names, and far too much of it."""

import os
from pathlib import Path

import pytest

from tests.engine.scene import Scene, attempt_folder, workstream
from tests.engine.test_resolving import UNIT
from tests.hostile.loose import LIMIT, ONCE, either_way, let_loose, needs_bwrap, reason
from tests.support.deep import SCRIPT
from uet_tui import folders
from uet_tui.core.states import WorkstreamState
from uet_tui.engine.start import repository_at

SOCKET = "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"h/sock\")'"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")


@either_way
@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('rm -rf "$PWD"', ""),  # a sandbox does not let it
        ("mkdir h; ln -s /etc/passwd h/link", "link out of the repository"),
        ("mkdir h; ln -s ../../.. h/link", "link out of the repository"),
        ("mkdir h; ln -s $PWD/h h/link", "link out of the repository"),
        ("mkdir h; ln -s ../.git/config h/link", "link out of the repository"),
        ("echo x > outside.txt", "outside its scope"),
        ("ln -s h outside", "outside its scope"),
        ("mkdir h; mkfifo h/.gitattributes", "FIFO"),
        ("mkdir h; mkfifo h/pipe; echo x > h/x", "h/pipe is a FIFO: left out of the commit"),
        (f"mkdir h; {SOCKET}; echo x > h/x", "h/sock is a socket: left out of the commit"),
    ],
)
def test_what_must_not_be_merged_is_not_and_says_why(scene: Scene, script: str, why: str, confined: str) -> None:
    assert let_loose(scene, confined, script) is WorkstreamState.FAILED
    assert why in reason(scene)


@either_way
def test_what_it_writes_through_a_link_of_the_repository_is_not_taken_and_a_sandbox_does_not_let_it(
    scene: Scene, tmp_path: Path, confined: str
) -> None:
    """A folder that is a link leads a scope out; nobody can keep an agent from following it but a sandbox."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "s").write_text("the operator's\n")
    (scene.repository.path / "h").symlink_to(outside)
    scene.repository.commit("A link to a folder elsewhere")
    scene.operator = repository_at(scene.repository.path)
    assert let_loose(scene, confined, "echo the agent > h/s") is WorkstreamState.FAILED
    assert reason(scene)
    assert (outside / "s").read_text() == ("the agent\n" if confined == "off" else "the operator's\n")


@needs_root
@either_way
def test_a_device_is_no_file_and_a_sandbox_lets_it_make_none(scene: Scene, confined: str) -> None:
    made = "mkdir h; echo x > h/x; mknod h/zero c 1 5 || touch h/refused"
    state = let_loose(scene, confined, made)
    if confined == "off":
        assert state is WorkstreamState.FAILED
        assert "h/zero is a device: left out of the commit" in reason(scene)
    else:
        assert state is WorkstreamState.MERGED
        assert scene.file("h/refused") == ""


@either_way
def test_a_hard_link_to_a_file_outside_never_lets_anybody_write_that(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, confined: str
) -> None:
    """Neither the agent that is confined, nor uet when it takes out secrets, resets the sandbox or runs the next."""
    monkeypatch.setenv("LINKED_API_KEY", "key-0123456789abcdef")
    outside = tmp_path / "outside.env"
    outside.write_text("LINKED_API_KEY=key-0123456789abcdef\n")
    listed = Path(scene.repository.path, "README.md")
    script = f"mkdir h; ln {outside} h/hard || cp {outside} h/hard 2>/dev/null || echo $LINKED_API_KEY > h/hard"
    over = f"rm README.md; ln {outside} README.md 2>/dev/null || true"
    state = let_loose(
        scene, confined, script, over, sets=['agents.shell.env=["PATH", "LINKED_API_KEY"]'], scope=["h/**", "README.md"]
    )
    assert state is WorkstreamState.FAILED
    assert "LINKED_API_KEY" in reason(scene)
    assert "key-0123456789abcdef" not in reason(scene)
    assert outside.read_text() == "LINKED_API_KEY=key-0123456789abcdef\n"
    assert listed.read_text() == scene.repository.git("show", "HEAD:README.md") + "\n"


@either_way
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f"echo $OWN_API_KEY > h/{'n' * 250}", id="long name"),
        pytest.param("mkdir h/.venv; echo $OWN_API_KEY > h/.venv/k", id="below what is kept"),
        pytest.param("ln -s $OWN_API_KEY h/k", id="where a link leads"),
        pytest.param("touch h/$OWN_API_KEY", id="name"),
    ],
)
def test_no_secret_reaches_the_operators_repository_whatever_the_file(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, script: str, confined: str
) -> None:
    monkeypatch.setenv("OWN_API_KEY", "key-0123456789abcdef")
    let_loose(scene, confined, f"mkdir h; {script}", sets=['agents.shell.env=["PATH", "OWN_API_KEY"]'])
    assert "key-0123456789abcdef" not in scene.repository.git("log", "--all", "-p", "--format=%H")


SWAPPING = """
import os, time
os.mkdir("h"); os.makedirs("h/real"); open("h/real/passwd", "w").write("mine")
until = time.monotonic() + 4
while time.monotonic() < until:
    os.rename("h/real", "h/kept"); os.symlink("/etc", "h/real")
    os.unlink("h/real"); os.rename("h/kept", "h/real")
"""


@either_way
def test_what_is_swapped_for_a_link_while_the_forecast_looks_brings_nothing_in(scene: Scene, confined: str) -> None:
    python = f"python3 -c '{SWAPPING}'".replace("\n", "\n")
    state = let_loose(scene, confined, python, sets=["forecast_seconds=0.05"])
    assert state is WorkstreamState.MERGED, reason(scene)
    assert scene.file("h/real/passwd") == "mine"
    root = b"root:x:0:0"
    stored = [path for path in scene.home.folder.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20]
    assert not any(root in path.read_bytes() for path in stored)


@either_way
def test_what_its_tests_swap_after_the_check_is_not_what_is_merged(scene: Scene, confined: str) -> None:
    swap = "rm -rf h b.txt; ln -s /etc h; echo evil > b.txt; echo evil > README.md"
    state = let_loose(
        scene,
        confined,
        f"mkdir h; echo '{swap}' > h/test.sh",
        sets=['gates.GATE_UNIT.commands=["[ ! -e h/test.sh ] || sh h/test.sh"]'],
        test_gates=UNIT,
    )
    assert state is WorkstreamState.MERGED, reason(scene)
    assert swap in scene.file("h/test.sh")
    assert scene.file("b.txt") == "b"
    assert "evil" not in scene.file("README.md")


@either_way
def test_what_its_tests_leave_where_resets_leave_it_alone_is_not_in_the_next_commit(
    scene: Scene, confined: str
) -> None:
    test = "mkdir -p src/node_modules; echo evil > src/node_modules/evil.js"
    let_loose(
        scene,
        confined,
        f"mkdir h; echo '{test}' > h/test.sh",
        sets=['gates.GATE_UNIT.commands=["[ ! -e h/test.sh ] || sh h/test.sh"]'],
        test_gates=UNIT,
        later=("**",),
    )
    result = f"refs/uet/{scene.run}/ws-later"
    assert scene.repository.git("diff", "--name-only", f"{result}~1", result) == "b.txt"


@either_way
def test_names_that_no_terminal_should_see_are_told_harmlessly(scene: Scene, confined: str) -> None:
    script = (
        "mkdir h; printf x > \"h/$(printf 'a\\nb\\033]52;c;eA==\\007\\377')\"; printf '\\033]0;owned\\007\\n[/red]'"
    )
    assert let_loose(scene, confined, script) is WorkstreamState.MERGED
    assert not any("\x1b" in text or "\x07" in text for text in scene.events())


@either_way
def test_what_is_called_like_a_full_disk_holds_nobody_up(scene: Scene, confined: str) -> None:
    """Its test leaves what is longer than a path may be, so that the reset fails, and says of what."""
    name = "No space left on device " + "n" * 200
    test = f'for n in $(seq 30); do mkdir "{name}"; cd "{name}"; done; exit 0'
    gate = 'gates.GATE_UNIT.commands=["[ ! -e h/test.sh ] || sh h/test.sh"]'
    scene.begin(
        workstream("ws-hostile", f"mkdir h; echo '{test}' > h/test.sh", scope=["h/**"], test_gates=UNIT, **ONCE),
        workstream("ws-later", "echo b > b.txt", scope=["b.txt"], depends_on=[], **ONCE),
        sets=(f"agents.shell.sandbox={confined}", "workers=1", gate),
    )
    scene.finish(LIMIT)
    assert not any("no room" in text for text in scene.events())


@either_way
def test_what_fills_the_disk_is_ended(scene: Scene, confined: str) -> None:
    script = "mkdir h; head -c 30000000 /dev/zero > h/big; sleep 60"
    assert let_loose(scene, confined, script, sets=["disk_mb=10"]) is WorkstreamState.FAILED
    assert any("more than disk_mb allows" in text for text in scene.events("attempt_ended"))
    assert attempt_folder(scene, "ws-hostile").exists()


@either_way
@pytest.mark.parametrize("files", [20_000, pytest.param(100_000, marks=[pytest.mark.chaos, pytest.mark.timeout(600)])])
def test_very_many_files_are_only_slow(scene: Scene, files: int, confined: str) -> None:
    script = f"mkdir h; python3 -c \"for n in range({files}): open(f'h/{{n}}', 'w').close()\""
    assert let_loose(scene, confined, script, seconds=500) is WorkstreamState.MERGED


@pytest.mark.parametrize(
    ("confined", "where"),
    [
        *(("off", where) for where in ("$TMPDIR", ".git")),  # its /tmp is everybody's
        *(pytest.param("required", where, marks=needs_bwrap) for where in ("$TMPDIR", "/tmp", ".git")),
        *(pytest.param(confined, "h", marks=[needs_bwrap, pytest.mark.chaos]) for confined in ("off", "required")),
    ],
)
def test_folders_deeper_than_any_path_spoil_nobody_elses_attempt(scene: Scene, confined: str, where: str) -> None:
    levels = 5000 if where == "h" else 1200
    script = f"mkdir h; echo x > h/x; mkdir -p {where}/deep; cd {where}/deep; {SCRIPT.format(levels=levels)}"
    try:
        let_loose(scene, confined, script, sets=["agents.shell.home=own"])
    finally:
        folders.remove(str(scene.home.folder / "runs"))


@either_way
def test_folders_deeper_than_any_path_in_what_it_has_of_its_own_end_no_run(scene: Scene, confined: str) -> None:
    """Where its keeper, and then the orchestrator, look for secrets."""
    mounted = "$(awk '$5 ~ /own$/ {print $5; exit}' /proc/self/mountinfo)"
    beside = '"$(dirname "$0")"/own'
    own = mounted if confined != "off" else beside
    try:
        state = let_loose(scene, confined, f"mkdir h; echo x > h/x; cd {own}; {SCRIPT.format(levels=1500)}")
        assert state is WorkstreamState.MERGED
    finally:
        folders.remove(str(scene.home.folder / "runs"))


@either_way
def test_a_configuration_of_its_git_without_end_spoils_nobody_elses_attempt(scene: Scene, confined: str) -> None:
    let_loose(scene, confined, "mkdir h; echo x > h/x; truncate -s 4T .git/config")


@either_way
def test_a_file_without_end_is_left_out_and_told(scene: Scene, monkeypatch: pytest.MonkeyPatch, confined: str) -> None:
    monkeypatch.setenv("OWN_API_KEY", "key-0123456789abcdef")  # so that what it wrote is looked through
    script = "mkdir h; echo x > h/x; truncate -s 4T h/endless"
    state = let_loose(scene, confined, script, sets=['agents.shell.env=["PATH", "OWN_API_KEY"]'])
    assert state is WorkstreamState.FAILED
    assert "h/endless has more than 4 GiB" in reason(scene)
