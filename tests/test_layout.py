"""What is where: the folders, what ships, and that the documents say only what is so."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from uet_tui import __version__, resources

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {"uet_tui", "tests", "config", "schema", "screens", "docs", "benchmarks", "workstreams"}
REAL_AGENTS = [f"tests/real_agents/pins/{name}.lock" for name in ("aider", "mini")]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#([^)\s]+))?\)")


def tracked() -> list[Path]:
    """The files that git keeps, relative to the checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).exists()]


def test_the_top_level_folders_are_the_ones_that_the_design_names() -> None:
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    assert {name for name in folders if not name.startswith(".")} == FOLDERS


def test_the_version_is_the_same_everywhere() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


@pytest.mark.parametrize("name", ["run.lock", "dev.lock", *REAL_AGENTS])
def test_locks_pin_by_version_and_hash_and_name_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    pinned = re.findall(r"(?m)^[a-z0-9-]+==\S+", text)
    assert len(pinned) > 10
    assert len(re.findall(r"(?m)^\S", text)) == len(pinned)
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text and "--index" not in text and "--find-links" not in text


@pytest.mark.parametrize("folder", sorted((ROOT / "tests/real_agents/pins").glob("npm*")), ids=lambda path: path.name)
def test_the_agents_from_npm_are_pinned_by_version_and_hash_and_name_no_place(folder: Path) -> None:
    text = (folder / "package-lock.json").read_text()
    locked = {name: one for name, one in json.loads(text)["packages"].items() if name}
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert all(one["integrity"].startswith("sha512-") for one in locked.values())
    assert "://" not in text


def test_what_is_pinned_to_run_is_pinned_the_same_to_develop() -> None:
    run, develop = (set(re.findall(r"(?m)^\S+==\S+", (ROOT / name).read_text())) for name in ("run.lock", "dev.lock"))
    assert run < develop


def test_the_shipped_folders_are_found() -> None:
    assert (resources.CONFIG / "uet.yaml").is_file()
    assert (resources.SCHEMA / "workstream.schema.json").is_file()
    assert list(resources.SCREENS.glob("*.tcss"))


def test_every_package_of_the_program_says_what_it_is() -> None:
    for file in sorted((ROOT / "uet_tui").rglob("*.py")):
        text = file.read_text()
        assert text.startswith(('"""', 'r"""', "#!")), f"{file.relative_to(ROOT)} does not say what it is"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_the_documents_lead_somewhere(document: Path) -> None:
    for target, _ in LINK.findall(document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_no_text_names_a_place_on_somebodys_machine() -> None:
    place = re.compile(r"/(?:work|root|home/\w+|Users/\w+)/\w")
    for path in tracked():
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".tcss", ".json", ".sql", ".sh"} or path.name == "Makefile":
            found = place.search((ROOT / path).read_text())
            assert path.name == Path(__file__).name or not found, f"{path}: {found and found.group()}"
