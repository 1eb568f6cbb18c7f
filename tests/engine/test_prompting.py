"""What agents are told in whole runs, and what is learned from it: real git, an agent that is a script."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from tests.engine.scene import Scene, attempt_folder, settings, workstream
from uet_tui.agents.context.tokens import count_tokens
from uet_tui.agents.launching import LONGEST_ARGUMENT
from uet_tui.agents.prompt import TEMPLATE, Files, Task, task_facts
from uet_tui.core.effects import StartAttempt
from uet_tui.core.states import RunState
from uet_tui.engine import prompting
from uet_tui.engine.prompting import Told, prompts_of, tell_task
from uet_tui.engine.start import OpenRun, new_run, open_run
from uet_tui.errors import UetError
from uet_tui.plan.graph import build_plan
from uet_tui.store.queries import Reader

PARSER = 'from src.lexer import lex\n\n\ndef parse(text):\n    """Makes a tree."""\n    return lex(text)\n'
FACTS = task_facts(Task(workstream("ws-a", "Do it"), 1, timeout_seconds=60, strict=True), Files())
FILES = {
    "src/parser.py": PARSER,
    "src/lexer.py": "def lex(text):\n    return text.split()\n" + "# filling\n" * 400,
    "tests/test_parser.py": "from src.parser import parse\n\n\ndef test_it():\n    assert parse('a')\n",
    "docs/parser.md": "# The parser\n\nSee src/parser.py.\n",
    "other/unrelated.py": "def nobody():\n    pass\n",
    "src/key.pem": "not to be told\n",
}


def reader(folder: Path, code: str = "") -> tuple[str, ...]:
    """The settings of an agent that reads text: it appends to what it may change, and says that it read 1000 tokens."""
    script = folder / "reader.py"
    script.write_text(
        dedent("""
            import json, sys
            text = open(sys.argv[1]).read()
            open("src/parser.py", "a").write("# changed\\n")
            used = 1000
        """)
        + dedent(code)
        + '\nprint(json.dumps({"uet": {"cost_usd": 0, "tokens_in": used, "tokens_out": 1}}))\n'
    )
    told = {
        "command": [sys.executable, str(script), "{prompt_file}"],
        "prompt": "text",
        "env": ["PATH"],
        "usage": "json-lines",
        "model": "m1",
    }
    return (f"agents.reader={json.dumps(told)}", "forecast_seconds=0")


@pytest.fixture
def parser_scene(scene: Scene) -> Scene:
    for name, text in FILES.items():
        scene.repository.write(name, text)
    scene.repository.commit("A parser")
    scene.operator = type(scene.operator).discover(scene.repository.path)
    return scene


def let_go(opened: OpenRun) -> None:
    """Leaves a run that was opened and not begun."""
    opened.hold.writer.close()
    opened.hold.lock.release()
    opened.place.control.close()


def chosen(scene: Scene) -> list[dict]:
    """What the events tell of contexts, oldest first."""
    found = scene.sql("select data from uet_events where type = 'context_chosen' order by id")
    return [json.loads(data) for (data,) in found]


def test_an_agent_is_told_the_files_that_matter_and_the_operator_what_is_left_out(
    parser_scene: Scene, tmp_path: Path
) -> None:
    scene = parser_scene
    work = workstream("ws-a", "Handle quotes", scope=["src/parser.py", "src/key.pem"], tool="reader")
    scene.begin(work, sets=reader(tmp_path))
    assert scene.finish().state is RunState.COMPLETED
    folder = attempt_folder(scene, "ws-a")
    text = (folder / "prompt.md").read_text()
    files = text.partition("## Files that matter")[2]
    assert "=== src/parser.py" in files and "imported by src/parser.py" in files
    assert "def lex(text): ..." in files and "=== tests/test_parser.py" in files and "=== docs/parser.md" in files
    assert "unrelated" not in text and "not to be told" not in text
    (data,) = chosen(scene)
    assert data["counted"] > 0 and data["estimated"] == data["counted"] and data["factor"] == 1
    told = (folder / "context.txt").read_text()
    assert told.startswith(f"{data['counted']} tokens") and "src/key.pem (by name only: it may hold secrets)" in told
    assert scene.sql("select estimated_tokens from attempts") == [(data["estimated"],)]


def test_with_less_room_what_matters_less_is_left_out(parser_scene: Scene, tmp_path: Path) -> None:
    scene = parser_scene
    work = workstream("ws-a", "Handle quotes", scope=["src/parser.py"], tool="reader")
    scene.begin(work, sets=(*reader(tmp_path), "context.list_tokens=40"))
    scene.finish()
    text = (attempt_folder(scene, "ws-a") / "prompt.md").read_text()
    assert "=== src/parser.py" in text and "docs/parser.md" not in text and "Handle quotes" in text
    (data,) = chosen(scene)
    assert data["left_out"] and any("docs/parser.md (no room" in why for why in data["why"])


def test_an_agent_that_cannot_read_by_itself_gets_the_files(parser_scene: Scene, tmp_path: Path) -> None:
    scene = parser_scene
    work = workstream("ws-a", "Handle quotes", scope=["src/parser.py"], tool="reader")
    scene.begin(work, sets=(*reader(tmp_path), "agents.reader.context=whole"))
    scene.finish()
    text = (attempt_folder(scene, "ws-a") / "prompt.md").read_text()
    assert PARSER in text and "# filling" in text


def test_what_cannot_be_told_beside_the_task_is_no_reason_not_to_start(parser_scene: Scene, tmp_path: Path) -> None:
    scene = parser_scene
    work = workstream("ws-a", "Handle quotes", scope=["src/parser.py"], tool="reader")
    scene.begin(work, sets=(*reader(tmp_path), "agents.reader.context_tokens=20"))
    assert scene.finish().state is RunState.COMPLETED
    text = (attempt_folder(scene, "ws-a") / "prompt.md").read_text()
    assert "Handle quotes" in text and "src/parser.py" in text and "Files that matter" not in text
    assert scene.sql("select severity from uet_events where type = 'context_chosen'") == [("warning",)]


def told(scene: Scene, tmp_path: Path, *sets: str, share: float = 1.0) -> Told:
    """What a first attempt would be told, without a run."""
    work = workstream("ws-a", "Handle quotes", scope=["src/parser.py"], tool="reader")
    opened = new_run(scene.operator, build_plan([work]), settings(*reader(tmp_path), *sets))
    scene.run = opened.place.run
    attempt_folder(scene, "ws-a").mkdir(parents=True)
    record = replace(opened.hold.records.workstreams["ws-a"], context_share=share)
    try:
        return tell_task(opened.place, StartAttempt("ws-a", 1, 1, scene.operator.head), record)
    finally:
        let_go(opened)


def test_a_retry_after_too_long_a_context_is_told_less(parser_scene: Scene, tmp_path: Path) -> None:
    sets = ("agents.reader.context=whole", "agents.reader.context_tokens=4000")
    whole, half = (told(parser_scene, tmp_path, *sets, share=share) for share in (1.0, 0.3))
    assert count_tokens(whole.text) <= 2_000 and count_tokens(half.text) <= 600
    assert PARSER in whole.text and PARSER in half.text
    assert "# filling" in whole.text and "# filling" not in half.text
    assert whole.note is not None and half.note is not None
    assert (whole.note.data["limit"], half.note.data["limit"]) == (2_000, 600)


@pytest.mark.parametrize("tokens", [300, 520, 700, 1_500, 3_000, 6_000])
def test_a_prompt_is_never_longer_than_its_limit_as_long_as_the_task_fits(
    parser_scene: Scene, tmp_path: Path, tokens: int
) -> None:
    for context in ("list", "whole"):
        sets = (f"agents.reader.context={context}", f"agents.reader.context_tokens={tokens}", "context.share=1")
        found = told(parser_scene, tmp_path, *sets)
        assert count_tokens(found.text) <= tokens
        assert "Handle quotes" in found.text and "- src/parser.py" in found.text


def test_a_prompt_that_is_an_argument_is_no_longer_than_one_can_be(parser_scene: Scene, tmp_path: Path) -> None:
    command = json.dumps([sys.executable, "-c", "0", "{prompt}"])
    note = told(parser_scene, tmp_path, f"agents.reader.command={command}", "context.share=1").note
    assert note is not None and note.data["limit"] == LONGEST_ARGUMENT // 3


def test_what_goes_wrong_with_the_files_costs_the_list_and_not_the_start(
    parser_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise UetError("git is out of order")

    monkeypatch.setattr(prompting, "holding", broken)
    found = told(parser_scene, tmp_path)
    assert "Handle quotes" in found.text and "Files that matter" not in found.text
    assert found.note is not None and found.note.severity == "warning"
    assert found.note.data["why"] == ["the files could not be looked at: git is out of order"]


def test_what_attempts_used_makes_the_next_estimate(parser_scene: Scene, tmp_path: Path) -> None:
    scene = parser_scene
    sets = reader(tmp_path, "import re\nused = 4 * len(text)")
    for _ in range(2):
        scene.begin(workstream("ws-a", "Handle quotes", scope=["src/parser.py"], tool="reader"), sets=sets)
        scene.finish()
    first, second = chosen(scene)
    assert second["factor"] > 1 and second["estimated"] > first["estimated"] == first["counted"]
    reading = Reader(scene.home.database)
    try:
        known = reading.estimated(agent="reader", model="m1")
        assert [(one.counted, one.estimated) for one in known] == [
            (told["counted"], told["estimated"]) for told in (first, second)
        ]
        assert reading.estimated(agent="reader", model="m2") == reading.estimated(agent="other") == []
    finally:
        reading.close()


def test_what_it_depends_on_is_told_with_what_that_changed(parser_scene: Scene, tmp_path: Path) -> None:
    scene = parser_scene
    first = workstream("ws-a", "echo x > src/quotes.py", scope=["src/quotes.py"])
    second = workstream("ws-b", "Use quotes", scope=["src/parser.py"], tool="reader", depends_on=["ws-a"])
    scene.begin(first, second, sets=reader(tmp_path))
    scene.finish()
    text = (attempt_folder(scene, "ws-b") / "prompt.md").read_text()
    assert "ws-a was to:\n- echo x > src/quotes.py\nIt changed:\n- src/quotes.py\n" in text


def test_an_agent_without_a_text_prompt_counts_nothing(scene: Scene) -> None:
    scene.begin(workstream("ws-a", "echo x > a.txt"))
    scene.finish()
    assert chosen(scene) == [] and not scene.home.tokens.exists()
    assert not (attempt_folder(scene, "ws-a") / "context.txt").exists()


def test_a_template_of_the_repository_is_used_and_kept_with_the_run(parser_scene: Scene, tmp_path: Path) -> None:
    scene = parser_scene
    own = "House rules.\n{{ tasks }} {{ scope }} {{ creates }} {{ acceptance_tests }}\n"
    written = scene.repository.write("config/prompts/task.md.j2", own)
    opened = new_run(
        scene.operator, build_plan([workstream("ws-a", "Do it", tool="reader")]), settings(*reader(tmp_path))
    )
    let_go(opened)
    written.write_text("Changed since.\n")
    scene.run = opened.place.run
    scene.resume()
    scene.finish()
    assert (attempt_folder(scene, "ws-a") / "prompt.md").read_text().startswith("House rules.\n")


def test_a_template_that_is_wrong_is_found_before_anything_starts(scene: Scene, tmp_path: Path) -> None:
    scene.repository.write("config/prompts/task.md.j2", "{{ tasks }}\n{{ scop }}\n")
    with pytest.raises(
        UetError, match=r"^config/prompts/task\.md\.j2:2: there is no `scop` here; did you mean `scope`\?"
    ):
        new_run(scene.operator, build_plan([workstream("ws-a", "true")]), settings())
    assert not scene.home.folder.exists()


def test_a_run_without_templates_of_its_own_is_told_the_shipped_ones(scene: Scene, tmp_path: Path) -> None:
    opened = new_run(scene.operator, build_plan([workstream("ws-a", "Do it")]), settings())
    let_go(opened)
    for kept in opened.place.paths.prompts.iterdir():
        kept.unlink()
    again = open_run(scene.home, opened.place.run)
    try:
        assert "# ws-a" in prompts_of(again.place).render(TEMPLATE, FACTS)
    finally:
        let_go(again)
