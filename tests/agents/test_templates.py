"""Templates of prompts: rendered in a sandbox, and errors that name file, line and the fix."""

from pathlib import Path

import pytest

from uet_tui.agents.fences import Record, fenced
from uet_tui.agents.prompt_check import check_prompts
from uet_tui.agents.templates import Prompts
from uet_tui.errors import UetError
from uet_tui.settings.prompts import PromptFile, overridden, read_prompts

NEEDED = "{{ tasks }} {{ scope }} {{ creates }} {{ acceptance_tests }}\n"


def prompts(task: str, **more: str) -> Prompts:
    return Prompts(
        {
            f"{name}.md.j2": PromptFile(text, f"config/prompts/{name}.md.j2", "repository")
            for name, text in ({"task": task} | more).items()
        }
    )


def test_text_of_others_cannot_lose_its_fence() -> None:
    for text in (
        "{{ x }}",
        "{{ x ~ '' }}",
        "{{ x|string }}",
        "{% for y in [x] %}{{ y }}{% endfor %}",
        "{{ [x]|join }}",
    ):
        assert prompts(text).render("task.md.j2", {"x": Record("``` evil")}) == fenced("``` evil")
    with pytest.raises(UetError, match=r"unsafe|no attribute"):
        prompts("{{ x._text }}").render("task.md.j2", {"x": Record("evil")})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a\n{{ y }}", r"task\.md\.j2:2: 'y' is undefined"),
        ("a\n{{ x.y }}", r"task\.md\.j2:2: 'list object' has no attribute 'y'"),
        ("a\n\n{% for %}", r"task\.md\.j2:3: Expected an expression"),
        ("\n{{ x|nothing }}", r"task\.md\.j2:2: No filter named 'nothing'"),
        ('{% include "nope.md.j2" %}', r"task\.md\.j2:1: it includes nope\.md\.j2, which is not there"),
        ('{% include "task.md.j2" %}', r"task\.md\.j2: it includes itself without end"),
        ('\n{% include "part.md.j2" %}', r"part\.md\.j2:3: 'list object' has no attribute 'zz'"),
        ("{{ x.append(3) }}", r"task\.md\.j2:1: .*unsafe"),
        ("{{ ''.__class__ }}", r"task\.md\.j2:1: .*unsafe"),
        ("{{ range(10**9)|list }}", r"task\.md\.j2:1: Range too big"),
        ("{{ 1 // 0 }}", r"task\.md\.j2:1: integer division"),
    ],
)
def test_an_error_names_file_line_and_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(UetError, match=rf"^config/prompts/{says}"):
        prompts(text, part="ok\n\n{{ x.zz }}").render("task.md.j2", {"x": [1]})


def overriding(folder: Path, **texts: str) -> dict[str, PromptFile]:
    place = folder / "config" / "prompts"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (place / f"{name}.md.j2").write_text(text)
    return dict(read_prompts(folder))


def test_the_shipped_templates_hold() -> None:
    shipped = read_prompts(None)
    check_prompts(shipped)
    assert not overridden(shipped) and set(shipped) == {"task.md.j2", "conflict.md.j2", "parts.md.j2"}


def test_a_repository_overrides_a_template_and_may_have_its_own_parts(tmp_path: Path) -> None:
    found = overriding(tmp_path, task=f'{NEEDED}{{% include "house.md.j2" %}}', house="Be kind, {{ id }}.\n")
    check_prompts(found)
    assert overridden(found) and found["conflict.md.j2"].layer == "shipped"
    assert Prompts(found).render(
        "task.md.j2", dict.fromkeys(("id", "tasks", "scope", "creates", "acceptance_tests"), "x")
    ) == ("x x x x\nBe kind, x.\n")


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"task": NEEDED + "{{ taskz }}"}, r"task\.md\.j2:2: there is no `taskz` here; did you mean `tasks`\?"),
        (
            {"task": NEEDED + "{% if qqq %}{% endif %}"},
            r"task\.md\.j2:2: there is no `qqq` here; there are: acceptance_tests, ",
        ),
        (
            {"task": NEEDED + "{% if attempt > 1 %}{{ failure.x }}{% endif %}"},
            r"task\.md\.j2:2: .*has no attribute 'x'",
        ),
        (
            {"task": "{{ scope }}\n"},
            r"task\.md\.j2: it must tell all `tasks`, the `scope`, .*'Write the parser' of a sample",
        ),
        ({"conflict": "{{ ours.diff }}{{ mine }}"}, r"conflict\.md\.j2:1: there is no `mine` here"),
        ({"tasks": NEEDED}, r"tasks\.md\.j2: no prompt uses it; did you mean task\.md\.j2\?"),
        ({"house-rules": "x"}, r"house-rules\.md\.j2: no prompt uses it, so take it away or include it"),
        ({"task": "{{"}, r"task\.md\.j2:1: unexpected 'end of template'"),
    ],
)
def test_what_is_wrong_with_a_template_is_found_without_a_run(tmp_path: Path, texts: dict[str, str], says: str) -> None:
    with pytest.raises(UetError, match=f"^config/prompts/{says}"):
        check_prompts(overriding(tmp_path, **texts))


def test_a_template_that_is_no_utf_8_is_an_error_with_its_file(tmp_path: Path) -> None:
    overriding(tmp_path, task=NEEDED)
    (tmp_path / "config" / "prompts" / "task.md.j2").write_bytes(b"\xff")
    with pytest.raises(UetError, match=r"^config/prompts/task\.md\.j2: not UTF-8 text"):
        read_prompts(tmp_path)
