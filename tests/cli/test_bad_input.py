"""Bad input of every kind: one clear line that names the thing, the place and the fix, and nothing left behind."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.conftest import Said, Uet
from tests.cli.scene import RUN
from tests.cli.test_main import ROOT, UET
from tests.cli.test_validate import bundle
from tests.support.repository import Repository
from uet_tui.store.lock import RunLock
from uet_tui.store.paths import Home


def everything(folder: Path) -> Mapping[str, bytes | str]:
    """Every file below a folder, `.git` included, with what is in it."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else "folder"
    return found


@pytest.fixture
def standing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A repository that one stands in; afterwards it must be byte for byte what it was: no `.uet`, no ref, no line."""
    monkeypatch.chdir(repository.path)
    before = everything(repository.path)
    yield repository
    assert everything(repository.path) == before


def refused(said: Said, *told: str, code: int = 2) -> None:
    """Nothing on standard output, and one line on standard error that says all of this."""
    assert (said.code, said.out) == (code, "")
    for words in told:
        assert words in said.line
    assert "Traceback" not in said.err


def bundles(*all: object) -> str:
    return json.dumps(all)


def valid(**changes: object) -> str:
    return bundles(bundle("ws-a", **changes))


PRICED = valid(max_cost_usd=12345)
YAML = "id: ws-a\nopenspec_change: x\nccpm_issue: 1\ngate: 1\nfiles_scope: [src/]\ntasks: [x]\ntool: shell\n"
LINES = YAML.replace("x", "1.10", 1)
BOMB = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a, *a]\n" for n in range(9))

PLANS: Mapping[str, tuple[Mapping[str, str | bytes], Sequence[str]]] = {
    "no bundles": ({"notes.txt": "x"}, ("plan: holds no bundles", ".json", ".yaml")),
    "empty file": ({"a.json": ""}, ("plan/a.json: is empty", "write one workstream")),
    "cycle": (
        {"a.json": bundles(bundle("ws-a", depends_on=["ws-c"]), bundle("ws-b", depends_on=["ws-a"]),
                           bundle("ws-c", depends_on=["ws-b"]))},
        ("plan/a.json:1:", "ws-a -> ws-c -> ws-b -> ws-a", "remove one"),
    ),
    "on itself": ({"a.json": valid(depends_on=["ws-a"])}, ("ws-a depends on itself",)),
    "unknown dependency": (
        {"a.json": bundles(bundle("ws-parser"), bundle("ws-b", depends_on=["ws-parsr"]))},
        ("plan/a.json:1:", "ws-parsr", "did you mean ws-parser?"),
    ),
    "on each other": (
        {"a.json": bundles(bundle("ws-a", depends_on=["ws-b"]), bundle("ws-b", depends_on=["ws-a"]))},
        ("plan/a.json:1:", "ws-a -> ws-b -> ws-a"),
    ),
    "duplicate id": (
        {"a.json": valid(), "b.json": "\n\n" + valid()},
        ("plan/b.json:3:", "ws-a is declared a second time, first at plan/a.json:1", "rename"),
    ),
    "scope ../": ({"a.json": valid(files_scope=["../out"])}, ("plan/a.json:1:", "../out", "leads upwards")),
    "scope a/../../": ({"a.json": valid(files_scope=["a/../../b"])}, ("a/../../b", "leads upwards")),
    "scope absolute": ({"a.json": valid(files_create=["/etc/passwd"])}, ("files_create", "/etc/passwd", "absolute")),
    "scope .git": ({"a.json": valid(files_scope=[".git/hooks"])}, (".git/hooks", "no workstream may touch")),
    "scope .GIT": ({"a.json": valid(files_scope=["src/.GIT/x"])}, ("src/.GIT/x", "no workstream may touch")),
    "scope empty": ({"a.json": valid(files_scope=[""])}, ("files_scope", "is empty")),
    "scope twice .git": ({"a.json": valid(files_scope=["sub/.git/hooks/x"])}, ("sub/.git/hooks/x", "no workstream")),
    "scope NUL": ({"a.json": valid(files_scope=["a\0b"])}, ("files_scope", "control character")),
    "scope .": ({"a.json": valid(files_scope=["."])}, ("files_scope", "is the whole repository: write **")),
    "id of another spelling": ({"a.json": bundles(bundle("ws-caf\u00e9"))}, ("plan/a.json:1:", "like ws-cafe")),
    "ids that are twins": (
        {"a.json": bundles(bundle("ws-caf\u00e9"), bundle("ws-cafe\u0301"), bundle("ws-A"), bundle("ws-a"))},
        ("plan/a.json:1:", "write it like ws-", "and 2 more"),
    ),
    "unknown tool": ({"a.json": valid(tool="shel")}, ("shel", "did you mean shell?", "config/agents.yaml")),
    "money NaN": ({"a.json": PRICED.replace("12345", "NaN")}, ("plan/a.json:1:", "NaN", "finite")),
    "money infinite": ({"a.json": PRICED.replace("12345", "-Infinity")}, ("Infinity", "finite")),
    "money too large": ({"a.json": PRICED.replace("12345", "1e999")}, ("1e999", "too large")),
    "money negative": ({"a.json": PRICED.replace("12345", "-1")}, ("max_cost_usd must be 0 or more, not -1",)),
    "money beyond belief": ({"a.json": PRICED.replace("12345", "1e308")}, ("max_cost_usd must be", "1000000000000")),
    "money in words": ({"a.json": PRICED.replace("12345", '"nan"')}, ("max_cost_usd must be a number",)),
    "money .nan": ({"a.yaml": f"{YAML}max_cost_usd: .nan\n"}, ("plan/a.yaml:8:", ".nan", "finite")),
    "timeout 0": ({"a.json": valid(timeout=0)}, ("timeout must be more than 0, not 0",)),
    "timeout NaN": ({"a.json": valid(timeout=12345).replace("12345", "NaN")}, ("plan/a.json:1:", "NaN", "finite")),
    "tokens infinite": (
        {"a.json": valid(estimated_context_tokens=12345).replace("12345", "Infinity")}, ("plan/a.json:1:", "Infinity")
    ),
    "priority 1e400": ({"a.json": valid(priority=12345).replace("12345", "1e400")}, ("1e400", "too large")),
    "priority -1": ({"a.json": valid(priority=-1)}, ("priority must be foreground or background, not -1",)),
    "5000 digits": ({"a.json": valid(gate=12345).replace("12345", "9" * 5000)}, ("5000 digits is too large",)),
    "key twice": ({"a.json": '{"id": "ws-a",\n"id": "ws-b"}'}, ("plan/a.json:2:", "written twice, first on line 1")),
    "half a character": ({"a.json": valid(conflict_group="12345").replace("12345", "\\ud800")}, ("half a character",)),
    "YAML guess": ({"a.yaml": LINES}, ("plan/a.yaml:2:", 'openspec_change must be text in quotes, not 1.10')),
    "YAML key twice": ({"a.yaml": f"{YAML}gate: 2\n"}, ("plan/a.yaml:8:", "written twice, first on line 4")),
    "YAML tab": ({"a.yaml": "id:\n\t- x\n"}, ("plan/a.yaml:2:", "a tab cannot indent YAML")),
    "YAML 10 MB": ({"a.yaml": b"id: " + b"a" * 10_000_000}, ("plan/a.yaml:", "larger than 8 MiB", "split")),
    "alias of itself": ({"a.yaml": "id: &x [*x]\n"}, ("plan/a.yaml:1:", "anchors", "not read")),
    "not JSON": ({"a.json": '{"id":\n'}, ("plan/a.json:2:", "expected a value")),
    "not YAML": ({"a.yaml": "id: [\n"}, ("plan/a.yaml:",)),
    "no object": ({"a.json": "[3]"}, ("plan/a.json:1:", "a workstream is an object, not 3")),
    "too deep": ({"a.json": "[" * 100_000}, ("plan/a.json:1:", "nested more than 64 deep")),
    "alias bomb": ({"a.yaml": BOMB}, ("plan/a.yaml:1:", "anchors", "not read")),
    "python tag": ({"a.yaml": "id: !!python/object/apply:os.system [echo]\n"}, ("plan/a.yaml:1:", "not read")),
    "UTF-16": ({"a.json": valid().encode("utf-16")}, ("plan/a.json:", "UTF-16", "save it as UTF-8")),
    "Latin-1": ({"a.json": b'{"id": "\n\xe9"}'}, ("plan/a.json:2:", "0xe9", "UTF-8")),
    "10 MB": ({"a.json": b'{"id": "' + b"a" * 10_000_000 + b'"}'}, ("plan/a.json:", "larger than 8 MiB", "split")),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANS)
def test_a_bad_plan_is_refused_before_anything_begins(
    uet: Uet, standing: Repository, tmp_path: Path, fault: str
) -> None:
    files, told = PLANS[fault]
    (tmp_path / "plan").mkdir()
    for name, text in files.items():
        (tmp_path / "plan" / name).write_bytes(text.encode() if isinstance(text, str) else text)
    refused(uet("run", "../plan", "--headless"), *(words.replace("plan/", "../plan/", 1) for words in told))


PATHS: Mapping[str, Callable[[Path], object]] = {
    "does not exist": lambda plan: None,
    "a loop of links, does not exist": lambda plan: plan.symlink_to(plan),
    "a folder that links to itself: holds no bundles": lambda plan: (plan.mkdir(), (plan / "a").symlink_to(plan)),
    "a link to nowhere in a folder: a.json": lambda plan: (plan.mkdir(), (plan / "a.json").symlink_to("nowhere")),
    "a pipe, is not a regular file": lambda plan: os.mkfifo(plan),
    "a pipe in a folder, is not a regular file": lambda plan: (plan.mkdir(), os.mkfifo(plan / "a.json")),
    "a device, is not a regular file": lambda plan: plan.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", PATHS)
def test_a_plan_that_is_no_file_is_refused_and_never_waited_for(
    uet: Uet, standing: Repository, tmp_path: Path, kind: str
) -> None:
    PATHS[kind](tmp_path / "plan")
    refused(uet("run", "../plan", "--headless"), "../plan", kind.rpartition(", ")[2].rpartition(": ")[2])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_plan_that_may_not_be_read_is_refused(uet: Uet, standing: Repository, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(valid())
    (tmp_path / "plan.json").chmod(0)
    refused(uet("run", "../plan.json", "--headless"), "../plan.json: ", "ermission")


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """A plan that is right."""
    path = tmp_path / "plan.json"
    path.write_text(valid())
    return str(path)


MONEY = "`budget.max_cost_total`"
OPTIONS: Mapping[str, Sequence[str]] = {
    "--workers 0": ("--workers", "greater than or equal to 1"),
    "--workers -1": ("--workers", "greater than or equal to 1"),
    "--workers abc": ("--workers", "integer"),
    "--workers 300": ("--workers", "256"),
    "--workers 1000000000": ("--workers", "256"),
    "--set workers=0": ("--set workers=0: `workers`", "greater than or equal to 1"),
    "--set workers=1000000000": ("`workers`", "256"),
    '--set workers="4"': ("`workers`", 'integer, not "4"'),
    "--set timeout_seconds=0": ("`timeout_seconds`", "greater than 0"),
    "--set timeout_seconds=.nan": ("--set timeout_seconds=.nan", "finite"),
    "--schedule wave": ("--schedule", "eager", "waves"),
    "--agent simulatd": ("--agent simulatd", "did you mean simulated?"),
    "--target nope": ("no branch nope", "git branch"),
    "--target -x": ("no branch -x",),
    "--headles": ("--headles", "--headless"),
    "--set budget.max_cost_total=1e308": (f"--set budget.max_cost_total=1e308: {MONEY}", "1000000000000"),
    "--set budget.max_cost_total=nan": (f"--set budget.max_cost_total=nan: {MONEY}",),
    "--set budget.max_cost_total=inf": (f"--set budget.max_cost_total=inf: {MONEY}",),
    "--set budget.max_cost_total=-1": (f"--set budget.max_cost_total=-1: {MONEY}", "0"),
    "--set budget.pause_seconds=1e300": ("`budget.pause_seconds`", "1000000000"),
    "--set wrkers=3": ("--set wrkers=3: unknown key `wrkers`", "did you mean `workers`?"),
    "--set workers": ("--set workers:", "KEY=VALUE"),
    "--set workers=many": ("--set workers=many:", "integer"),
    "another": ("another",),
}


@pytest.mark.parametrize("options", OPTIONS)
def test_a_bad_option_is_refused_before_anything_begins(
    uet: Uet, standing: Repository, plan: str, options: str
) -> None:
    refused(uet("run", plan, "--headless", *options.split()), *OPTIONS[options])


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("UET_BUDGET__MAX_COST_TOTAL", "nan", f"UET_BUDGET__MAX_COST_TOTAL: {MONEY}"),
        ("UET_WORKERS", "0", "UET_WORKERS: `workers`"),
        ("UET_WRKERS", "3", "UET_WRKERS: unknown key `wrkers`; did you mean `workers`?"),
    ],
)
def test_a_bad_setting_in_the_environment_is_named(
    uet: Uet, standing: Repository, plan: str, name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    refused(uet("run", plan, "--headless"), told)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("budget.yaml", "budget:\n  max_cost_total: .nan\n", ("config/budget.yaml:2:", "finite")),
        ("budget.yaml", "budget:\n  max_cost_totl: 3\n", ("config/budget.yaml:2:", f"did you mean {MONEY}?")),
        ("uet.yaml", "# mine\nworkers: many\n", ("config/uet.yaml:2:", "`workers`", '"many"')),
        ("uet.yaml", "workers: 4\nwrkers: 3\n", ("config/uet.yaml:2:", "`wrkers`", "did you mean `workers`?")),
        ("uet.yaml", "workers: [\n", ("config/uet.yaml:", "not valid YAML")),
        ("uet.yaml", 'workers: "4"\n', ("config/uet.yaml:1:", "`workers`", 'integer, not "4"')),
        ("uet.yaml", "workers: 12:30:45\n", ("config/uet.yaml:1:", 'integer, not "12:30:45"')),
        ("uet.yaml", "workers: 4\nworkers: 5\n", ("config/uet.yaml:2:", "`workers` stands here twice")),
        ("uet.yaml", BOMB, ("config/uet.yaml:1:", "aliases are not understood")),
        ("agents.yaml", "agents: &x\n  mine: *x\n", ("config/agents.yaml:1:", "aliases are not understood")),
        ("uet.yaml", "budget:\n\tx: 1\n", ("config/uet.yaml:2:", "not valid YAML", "'\\t'")),
        ("uet.yaml", "workers: !!python/object/apply:os.system 4\n", ("config/uet.yaml:1:", "tag", "not allowed")),
        ("agents.yaml", "agents:\n  mine:\n    command: make\n", ("config/agents.yaml:3:", "agents.mine.command")),
    ],
)
def test_a_bad_configuration_is_named_by_file_and_line(
    uet: Uet, repository: Repository, plan: str, file: str, text: str, told: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(repository.path)
    repository.write(f"config/{file}", text)
    before = everything(repository.path)
    refused(uet("run", plan, "--headless"), *told)
    assert everything(repository.path) == before


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("budget --total 1e308", ("--total", "below 1000000000000")),
        ("budget --total nan", ("--total", "finite")),
        ("budget --total inf", ("--total", "finite")),
        ("budget --total -1", ("--total", "0 or more")),
        ("scale 0", ("'N'", "1")),
        ("scale abc", ("'N'", "integer")),
        ("status nowhere", ("there is no run nowhere",)),
        ("resume nowhere --headless", ("there is no run nowhere",)),
        ("show ws-mergd", ("no workstream ws-mergd", "did you mean ws-merged?")),
        ("why ws-mergd", ("no workstream ws-mergd", "did you mean ws-merged?")),
        ("retry ws-faild", ("no workstream ws-faild", "did you mean ws-failed?")),
        ("skip nothing", ("no workstream nothing", "uet status")),
        ("conflicts show c9", ("no conflict c9", "c1 (ws-conflicted)")),
        ("conflicts take c9 --ours", ("no conflict c9", "c1 (ws-conflicted)")),
        ("conflicts take c1", ("--ours",)),
        ("conflicts take c1 --ours --hunk 0", ("--hunk", "1")),
        ("status 1 --run 2", ("two runs", "name one")),
    ],
)
def test_what_is_not_in_a_run_is_named_with_what_is(uet: Uet, scene: str, typed: str, told: Sequence[str]) -> None:
    events = uet("events").out
    refused(uet(*typed.split()), *told)
    assert uet("events").out == events


def test_a_second_orchestrator_is_refused_with_5(uet: Uet, scene: str, here: Path) -> None:
    with RunLock.acquire(Home(here / ".uet").run(RUN)):
        refused(uet("resume", RUN, "--headless"), RUN, code=5)


# What only a process of its own can show


def typed(
    *arguments: str, cwd: Path, environment: Mapping[str, str | None] | None = None, shell: str = 'exec "$@"'
) -> Said:
    """What the real command does; `shell` wraps it, an environment variable of None is taken away."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    done = subprocess.run(
        ["/bin/sh", "-c", shell, "sh", *UET, *arguments],
        cwd=cwd,
        env={name: value for name, value in variables.items() if value is not None},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        ("true", ("is not in a git repository", "git init")),
        ("git init -q --bare .", ("is a bare repository", "clone")),
        ("git init -q .", ("has no commit yet", "first one")),
        ("git init -q . && echo garbage >.git/HEAD", ("is not in a git repository",)),
        ("echo gitdir: /nowhere >.git", ("is not in a git repository",)),
    ],
)
def test_a_place_without_a_whole_repository_is_refused(
    uet: Uet, here: Path, plan: str, make: str, told: Sequence[str]
) -> None:
    subprocess.run(make, shell=True, cwd=here, check=True)
    before = everything(here)
    refused(uet("run", plan, "--headless"), *told)
    assert everything(here) == before


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo git version 2.37.9", ("2.37.9 is too old", "2.38")),
        ("exit 1", ("git version ended with 1",)),
        (None, ("git was not found", "install git 2.38")),
    ],
)
def test_a_git_that_cannot_do_it_is_refused(
    standing: Repository, tmp_path: Path, plan: str, script: str | None, told: Sequence[str]
) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    if script is not None:
        old.write_text(f"#!/bin/sh\n{script}\n")
        old.chmod(0o755)
    path = str(old.parent) if script is None else f"{old.parent}:{os.environ['PATH']}"
    refused(typed("run", plan, "--headless", cwd=standing.path, environment={"PATH": path}), *told)


@pytest.mark.parametrize("command", ["run", "demo", "resume", "console"])
def test_without_any_terminal_the_console_is_refused_and_something_else_is_offered(
    uet: Uet, standing: Repository, plan: str, command: str
) -> None:
    instead = "uet status" if command == "console" else "--headless"
    refused(uet(command, *([plan] if command == "run" else [])), "there is no terminal for the console", instead)


@pytest.mark.parametrize(
    ("redirected", "kind", "told"),
    [
        ("input", "xterm", "there is no terminal for the console: standard input is none"),
        ("output", "xterm", "there is no terminal for the console: standard output is none"),
        ("error", "xterm", "there is no terminal for the console: standard error is none"),
        ("", "dumb", "this terminal cannot show the console (TERM=dumb)"),
    ],
)
def test_the_console_needs_all_three_streams_to_be_a_terminal_that_can_draw(
    standing: Repository, tmp_path: Path, plan: str, redirected: str, kind: str, told: str
) -> None:
    with ExitStack() as opened:
        terminal, end = pty.openpty()
        opened.callback(os.close, terminal)
        opened.callback(os.close, end)
        file = opened.enter_context((tmp_path / "file").open("w+"))
        done = subprocess.run(
            [*UET, "run", plan],
            cwd=standing.path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": kind},
            check=False,
            stdin=file if redirected == "input" else end,
            stdout=file if redirected == "output" else end,
            stderr=file if redirected == "error" else end,
            timeout=30,
        )
        said = (tmp_path / "file").read_text() if redirected == "error" else os.read(terminal, 65536).decode()
    assert done.returncode == 2
    assert said.splitlines() == [f"uet: {told}; add --headless, or --dry-run to see the plan"]


@pytest.mark.parametrize("command", [["status"], ["config"], ["init"]])
def test_a_folder_that_is_gone_is_said_to_be(tmp_path: Path, command: Sequence[str]) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    refused(typed(*command, cwd=folder, shell='rmdir "$PWD"; exec "$@"'), "the folder that you are in is gone", "cd")


def test_no_home_is_no_reason_to_fail(here: Path, plan: str) -> None:
    nothing = {"HOME": None, "XDG_CONFIG_HOME": None, "USER": None, "LOGNAME": None}
    said = typed("validate", plan, cwd=here, environment=nothing)
    assert (said.code, said.err) == (0, "")


@pytest.mark.parametrize(
    ("closed", "code", "err"),
    [
        (">&-", 0, ""),
        ("<&-", 0, ""),
        (">/dev/full", 1, "uet: cannot write: No space left on device\n"),
    ],
)
def test_streams_that_are_closed_or_full_make_no_noise(here: Path, plan: str, closed: str, code: int, err: str) -> None:
    said = typed("validate", plan, cwd=here, shell=f'exec "$@" {closed}')
    assert (said.code, said.err) == (code, err)


def test_arguments_that_are_no_text_are_refused_in_words(scene: str, here: Path) -> None:
    name = os.fsdecode(b"\xff\x9b31m.txt")
    refused(typed("conflicts", "take", "c1", "--ours", "--file", name, cwd=here))
    refused(typed("show", name, cwd=here), "no workstream")
