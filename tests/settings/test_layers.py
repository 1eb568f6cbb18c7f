import codecs
from pathlib import Path

import pytest

from uet_tui.errors import UetError
from uet_tui.resources import CONFIG
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import GateCommand


def refusal(repository: Path | None = None, environ: dict[str, str] | None = None, *sets: str) -> str:
    with pytest.raises(UetError) as caught:
        load_settings(repository, environ or {}, sets)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_shipped_defaults_are_complete_and_say_where_they_stand() -> None:
    loaded = load_settings(None, {})
    assert loaded.settings.workers == 4
    assert "simulated" in loaded.settings.agents
    lines = (CONFIG / "uet.yaml").read_text().splitlines()
    origin = loaded.origins["retry.base_seconds"]
    assert (origin.layer, origin.place) == ("shipped", "shipped config/uet.yaml")
    assert "base_seconds" in lines[origin.line - 1]


def test_each_layer_wins_over_the_one_before(repository: Path, operators_own: Path) -> None:
    def workers(
        sets: tuple[str, ...] = (), environ: dict[str, str] | None = None, flag: int | None = None
    ) -> tuple[int, str]:
        loaded = load_settings(repository, environ or {}, sets, {"workers": flag})
        return loaded.settings.workers, str(loaded.origins["workers"])

    (operators_own / "uet.yaml").write_text("# mine\nworkers: 5\n")
    assert workers() == (5, f"{operators_own}/uet.yaml:2")
    (repository / "config" / "uet.yaml").write_text("workers: 6\n")
    assert workers() == (6, "config/uet.yaml:1")
    assert workers(environ={"UET_WORKERS": "7"}) == (7, "UET_WORKERS")
    assert workers(("workers=8",), {"UET_WORKERS": "7"}) == (8, "--set workers=8")
    assert workers(("workers=8",), {"UET_WORKERS": "7"}, 9) == (9, "--workers")


def test_mappings_merge_deep_and_lists_replace(repository: Path) -> None:
    (repository / "config" / "uet.yaml").write_text("retry: {base_seconds: 9}\nsandbox:\n  keep: [target/]\n")
    settings = load_settings(repository, {}).settings
    assert (settings.retry.base_seconds, settings.retry.max_seconds) == (9, 120)
    assert settings.sandbox.keep == ("target/",)


def test_an_agent_is_added_with_yaml_alone(repository: Path) -> None:
    (repository / "config" / "agents.yaml").write_text(
        "agents:\n  mine:\n    command: [my-agent, '{prompt_file}']\n    prompt: text\n    env: []\n    usage: none\n"
    )
    loaded = load_settings(repository, {})
    assert loaded.settings.agents["mine"].command == ("my-agent", "{prompt_file}")
    assert "shell" in loaded.settings.agents
    assert str(loaded.origins["agents.mine.prompt"]) == "config/agents.yaml:4"


def test_variables_find_nested_keys_whatever_their_case(repository: Path) -> None:
    environ = {"UET_RETRY__BASE_SECONDS": "1.5", "UET_GATES__GATE_UNIT__COMMANDS": "[make test]", "OTHER": "x"}
    settings = load_settings(repository, environ).settings
    assert settings.retry.base_seconds == 1.5
    assert settings.gates["GATE_UNIT"].commands == (GateCommand(run="make test"),)


def test_off_is_a_word_and_text_needs_no_quotes(repository: Path) -> None:
    (repository / "config" / "uet.yaml").write_text("scope: off\n")
    settings = load_settings(repository, {}, ["editor=vim: -n"]).settings
    assert (settings.scope, settings.editor) == ("off", "vim: -n")


def test_a_file_of_comments_sets_nothing_and_neither_does_an_emptied_section(repository: Path) -> None:
    (repository / "config" / "uet.yaml").write_text("# workers: 9\n")
    (repository / "config" / "agents.yaml").write_text("agents:\n#  mine:\n")
    assert load_settings(repository, {}).settings == load_settings(None, {}).settings


def test_other_files_of_a_config_folder_are_not_read(repository: Path) -> None:
    (repository / "config" / "database.yaml").write_text("{{{ not ours")
    assert load_settings(repository, {}).settings.workers == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("workers: 4\nwokers: 3\n", "2: unknown key `wokers`; did you mean `workers`?"),
        ("base_seconds: 3\n", "1: unknown key `base_seconds`; did you mean `retry.base_seconds`?"),
        ("retry:\n  jiter: 0.1\n", "2: unknown key `retry.jiter`; did you mean `retry.jitter`?"),
        ("\nworkers: four\n", '2: `workers` should be a valid integer, not "four"'),
        ("workers: true\n", "1: `workers` should be a valid integer, not true"),
        ("workers: 0\n", "1: `workers` should be greater than or equal to 1, not 0"),
        ("schedule: eagr\n", "1: `schedule` should be 'eager' or 'waves', not \"eagr\""),
        ("workers: 3\nworkers: 4\n", "2: `workers` stands here twice; keep one of them"),
        ("retry:\n  jitter: 1\n  jitter: 0\n", "3: `jitter` stands here twice; keep one of them"),
        ("budget:\n  max_cost_total: .nan\n", "2: .nan is not a finite number"),
        ("budget: {max_cost_total: -1}\n", "1: `budget.max_cost_total` should be greater than or equal to 0, not -1"),
        ("budget: {max_cost_total: 1e999}\n", "1: 1e999 is not a finite number"),
        ("retry: 3\n", "1: `retry` should be a mapping, not 3"),
        ("- workers\n", "1: settings are written as `key: value`, not ['workers']"),
        ("1: 2\n", "1: a key must be a word, not 1"),
        (
            "retry: &r {jitter: 0}\nsandbox: *r\n",
            "1: anchors and aliases are not understood here; write the value again",
        ),
        (
            "workers: !!python/object:os.system 3\n",
            "1: the tag tag:yaml.org,2002:python/object:os.system is not allowed here",
        ),
        ("workers: [1\n", "2: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("workers: " + "9" * 5000 + "\n", "1: this number is too long"),
    ],
)
def test_a_wrong_file_is_told_with_its_line_and_the_right_key(repository: Path, text: str, expected: str) -> None:
    (repository / "config" / "uet.yaml").write_text(text)
    assert refusal(repository) == "config/uet.yaml:" + expected


def test_an_agent_that_lacks_a_key_is_told_so(repository: Path) -> None:
    (repository / "config" / "agents.yaml").write_text("agents:\n  mine: {command: [x], prompt: text, env: []}\n")
    assert refusal(repository) == "config/agents.yaml:2: `agents.mine` lacks `usage`; add it"


def test_several_faults_are_counted_and_an_unknown_key_comes_first(repository: Path) -> None:
    (repository / "config" / "uet.yaml").write_text("workers: x\nland: y\nretri: 3\n")
    assert refusal(repository) == "config/uet.yaml:3: unknown key `retri`; did you mean `retry`? (and 2 more)"


@pytest.mark.parametrize("text", [b"workers: \xff\n", b"workers: 4 \x07\n", b"[" * 4000])
def test_rubbish_is_told_in_one_line(repository: Path, text: bytes) -> None:
    (repository / "config" / "uet.yaml").write_bytes(text)
    assert refusal(repository).startswith("config/uet.yaml")


@pytest.mark.parametrize("text", [codecs.BOM_UTF8 + b"workers: 7\n", b"# mine\r\nworkers: 7\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_accepted(repository: Path, text: bytes) -> None:
    (repository / "config" / "uet.yaml").write_bytes(text)
    assert load_settings(repository, {}).settings.workers == 7


def test_a_file_of_another_encoding_is_told(repository: Path) -> None:
    (repository / "config" / "uet.yaml").write_bytes("workers: 7\n".encode("utf-16"))
    assert refusal(repository) == "config/uet.yaml: not UTF-8 text (byte 0); save it as UTF-8"


def test_a_file_without_end_is_not_read(repository: Path) -> None:
    (repository / "config" / "uet.yaml").write_bytes(b"- a\n" * 2_500_000)
    assert refusal(repository) == "config/uet.yaml: is larger than 1 MiB: nothing that is set is so long"


def test_a_file_that_cannot_be_read_is_told(repository: Path) -> None:
    (repository / "config" / "uet.yaml").symlink_to("/proc/self/mem")
    assert refusal(repository).startswith("config/uet.yaml: ")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("workers", "--set workers: write it as KEY=VALUE, such as --set retry.base_seconds=3"),
        ("=3", "--set =3: write it as KEY=VALUE, such as --set retry.base_seconds=3"),
        ("workers=", "--set workers=: `workers` should be a valid integer, not null"),
        ("budget.max_cost_total=.inf", "--set budget.max_cost_total=.inf: .inf is not a finite number"),
        ("workers.deep=3", '--set workers.deep=3: `workers` should be a valid integer, not {"deep": 3}'),
    ],
)
def test_a_wrong_set_is_told_as_it_was_typed(given: str, expected: str) -> None:
    assert refusal(None, {}, given) == expected


def test_an_unknown_variable_is_told_with_the_right_key() -> None:
    told = refusal(None, {"UET_RETRY__BASE_SECOND": "3"})
    assert told == "UET_RETRY__BASE_SECOND: unknown key `retry.base_second`; did you mean `retry.base_seconds`?"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ladder.agent=nobody", "`ladder.agent` should be own, none, or one of aider, amp, claude, "),
        ("ladder.agent=shell", "`ladder.agent` should be an agent that reads text: the prompt of shell is a script"),
    ],
)
def test_who_is_asked_to_resolve_must_be_an_agent_that_can_be_asked(given: str, expected: str) -> None:
    assert refusal(None, {}, given).startswith(f"--set {given}: {expected}")
    for right in ("own", "none", "claude", "simulated"):
        load_settings(None, {}, [f"ladder.agent={right}"])
