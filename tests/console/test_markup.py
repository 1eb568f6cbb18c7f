"""Whatever markup a run's texts are made of: it stands on the screen as it was written, and is no link and no style."""

import pytest

from tests.console import samples
from tests.console.running import eventually, running, text

MARKUP = ["[/red]", "[/]", "[/tmp/x]", "[@click=app.bell()]x[/]", "[$foo]", "[link=http://x]y[/link]", "[a=b]", "[b]"]


@pytest.mark.parametrize("markup", MARKUP)
async def test_markup_stays_text(monkeypatch: pytest.MonkeyPatch, markup: str) -> None:
    monkeypatch.setattr(samples, "HOSTILE", markup)
    source = samples.FakeSource(samples.hostile_run())
    source.refusal = f"not now {markup}"
    async with running(source, (160, 50)) as (pilot, home):
        assert text(home).count(markup) >= 3
        strips = home._compositor.render_strips()  # there is no public way to read the screen
        styles = [segment.style for strip in strips for segment in strip if segment.style and markup in segment.text]
        assert not any(style.link or "bell" in str(style.meta) for style in styles)
        await pilot.press("space")
        await eventually(pilot, lambda: [note.message for note in pilot.app._notifications])
        assert [note.message for note in pilot.app._notifications] == [f"not now {markup}"]
