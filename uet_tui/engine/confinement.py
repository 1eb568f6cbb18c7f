"""Confining with bubblewrap: what runs reads the machine's programs, and writes its sandbox and its own folders only.

Inside, the file system is read-only but for what is named here; `/tmp`, `/run` and the processes are its own; the
operator's home is empty but for programs; `.uet/` holds nothing but what is its own. It works without root,
through user namespaces. Where a machine refuses those, `probe` says why.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal

from uet_tui.text import one_line

HOW_TO_CONFINE: Final = "install bubblewrap (`apt install bubblewrap`), and allow user namespaces"
_PROGRAM: Final = "bwrap"
_PATIENCE_SECONDS: Final = 10.0
_ROOM: Final = str(256 << 20)
"""Bytes of each file system in memory: an agent that fills one must not fill the machine's memory."""
_APART: Final = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--cap-drop", "ALL",
)  # fmt: skip
_TOOLS: Final = (
    ".local/bin", ".local/lib", ".local/pipx", ".local/share/pipx", ".local/share/uv", ".local/share/claude",
    ".local/share/mise", ".local/share/fnm", ".local/share/pnpm", ".nvm", ".fnm", ".volta", ".asdf", ".pyenv", ".rbenv",
    ".cargo/bin", ".rustup", ".bun", ".deno", ".npm-global", ".npm-packages", ".yarn", ".opencode/bin", ".nix-profile",
    ".sdkman", "go/bin", "node_modules",
)  # fmt: skip
"""Where people have programs in their homes."""
_SHARED: Final = "/dev/shm"  # noqa: S108 - a new one
_NAME_SERVER: Final = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether agents can be confined here."""

    path: str
    """The program; empty if it cannot be used."""
    told: str
    """Its version, or why it cannot be used."""


@cache
def probe() -> Probe:
    """Tries it once in this process: it may be missing, and a kernel may refuse what it needs."""
    path = next((found for found in _candidates() if os.access(found, os.X_OK)), "")
    if not path:
        return Probe("", "bubblewrap is not installed")
    command = [path, *_APART, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run", "--", path]
    try:
        done = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Probe("", f"bubblewrap cannot be used: {one_line(str(error), 120)}")
    if done.returncode:
        return Probe("", f"bubblewrap cannot be used: {one_line(done.stderr.decode('utf-8', 'replace'), 120)}")
    return Probe(path, one_line(done.stdout.decode("utf-8", "replace"), 40))


def _candidates() -> Iterator[str]:
    """Only absolute paths: what lies in the folder that uet was started in must not be it."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if folder.startswith("/"):
            yield f"{folder}/{_PROGRAM}"


@dataclass(frozen=True, slots=True)
class View:
    """What a confined agent sees of the machine."""

    cwd: Path
    tmp: Path
    """The folder that is its `/tmp`."""
    hidden: tuple[Path, ...]
    """Folders that are empty to it."""
    readable: tuple[Path, ...]
    """What is there all the same in what is hidden."""
    writable: tuple[Path, ...]
    network: bool
    instead: Mapping[Path, Path] = field(default_factory=dict)
    """By what is hidden: a folder that is there in its place, to be written."""


def confined(program: str, view: View, argv: Sequence[str]) -> list[str]:
    """The command line that runs another one confined. What is not there is passed over, but for what is writable."""
    network = () if view.network else ("--unshare-net",)
    base = ["--ro-bind", "/", "/", "--dev", "/dev", "--size", _ROOM, "--tmpfs", _SHARED, "--proc", "/proc"]
    return [program, *_APART, *network, *base, *_mounts(view), "--chdir", str(view.cwd), "--", *argv]


_Kind = Literal["hide", "read", "write"]


def _mounts(view: View) -> Iterator[str]:
    """In the order of depth, for what comes later lies above."""
    tmp = str(view.tmp)
    wanted: dict[Path, _Kind] = dict.fromkeys((Path("/run").resolve(), *view.hidden), "hide")
    wanted |= dict.fromkeys(view.readable, "read")
    wanted |= dict.fromkeys(view.writable, "write")
    for place in ("/tmp", "/var/tmp"):  # noqa: S108 - what these are to it is decided here
        yield from ("--bind-try", tmp, place)
    for path, kind in sorted(wanted.items(), key=lambda one: (len(one[0].parts), one[0])):
        match kind:
            case "hide":
                if path.is_dir():  # else nothing could be mounted there
                    other = view.instead.get(path)
                    yield from ("--bind", str(other), str(path)) if other else ("--size", _ROOM, "--tmpfs", str(path))
            case "read":
                yield from ("--ro-bind-try", str(path), str(path))
            case "write":
                yield from ("--bind", str(path), str(path))


def programs(home: Path, argv: Sequence[str], environ: Mapping[str, str]) -> tuple[Path, ...]:
    """What of the operator's home a command needs to see: programs (of `/tmp`, too), what PATH and its variables name.

    Args:
        home: the operator's.
        argv: the command.
        environ: its environment.
    """
    found = [home / tool for tool in _TOOLS]
    for folder in environ.get("PATH", "").split(os.pathsep):
        if folder.startswith("/"):
            found += [Path(folder), *_root_of(Path(folder), home)]
    program = shutil.which(argv[0], path=environ.get("PATH"))
    if program:
        real = Path(program).resolve()
        found += [*_root_of(real.parent, home)] or [real]
    found += [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[2] / "uet_tui"]
    shared = [*_within(found, (Path("/tmp"),))]  # noqa: S108 - it is hidden, and programs may be in it
    found += [Path(text) for name, text in environ.items() if name != "HOME" and text.startswith("/")]
    if _NAME_SERVER.is_symlink():
        found.append(_NAME_SERVER.resolve())
    return (*shared, *_within(found, (home, Path("/run"))))


def _within(paths: Iterable[Path], hidden: Sequence[Path]) -> Iterator[Path]:
    """Those that are strictly inside of what is hidden; a path of several, as PATH is one, is none."""
    tops = [(top, top.resolve()) for top in hidden]
    for path in dict.fromkeys(paths):
        if os.pathsep in str(path) or ".." in path.parts or "\0" in str(path):
            continue
        for written, real in tops:
            for top in (written, real):
                if top in path.parents and os.path.lexists(path):
                    yield real / path.relative_to(top)
                    break


def _root_of(folder: Path, home: Path) -> Iterator[Path]:
    """Where all of a program is that lies in a folder: its node modules, or what its `bin` belongs to."""
    if "node_modules" in folder.parts:
        root = Path(*folder.parts[: folder.parts.index("node_modules") + 1])
    elif folder.name == "bin":
        root = folder.parent
    else:
        return
    if root not in (home, home.resolve(), home / ".local", home.resolve() / ".local"):
        yield root


def borrowed(objects: Path) -> Iterator[Path]:
    """A folder of git objects, and those that it borrows from, however often."""
    waiting, seen = [objects], set[Path]()
    while waiting:
        folder = waiting.pop()
        if folder in seen or not folder.is_dir():
            continue
        seen.add(folder)
        yield folder
        try:
            lines = (folder / "info" / "alternates").read_bytes().splitlines()
        except OSError:
            continue
        waiting += [(folder / os.fsdecode(line)).resolve() for line in lines if line and not line.startswith(b"#")]
