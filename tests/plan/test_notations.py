import codecs
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.plan.documents import MAX_BYTES, MAX_DEPTH, DocumentError, Node, decoded
from uet_tui.plan.json_notation import read_json
from uet_tui.plan.yaml_notation import read_yaml

texts = st.text(st.characters(exclude_categories=["Cc", "Cn", "Cs", "Zl", "Zp"]))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=30,
)


def failure(read, text: str) -> tuple[int, str]:
    with pytest.raises(DocumentError) as caught:
        read(text)
    return caught.value.line, str(caught.value)


@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_reads_what_json_writes(value, indent, ascii_only):
    assert read_json(json.dumps(value, indent=indent, ensure_ascii=ascii_only)).value == value


@given(values.filter(lambda value: value is not None))
def test_yaml_reads_json_the_same_way(value):
    assert read_yaml(json.dumps(value, indent=1, ensure_ascii=False)).value == value


def test_comments_and_a_last_comma_are_accepted_in_json():
    text = '// a plan\n{ /* of\n one */ "a": [1, 2,], // two\n "b": "// no comment",\n}\n'
    assert read_json(text).value == {"a": [1, 2], "b": "// no comment"}


JSON_LINES = '[\n {\n  "id":\n   "x",\n  "list": [\n   1,\n   {"deep": 2}\n  ]\n }\n]'
YAML_LINES = "# plan\n- id:\n    x\n  more: 1\n  list:\n  - 1\n  - deep: 2\n"


@pytest.mark.parametrize(
    ("node", "lines"), [(read_json(JSON_LINES), (3, 5, 6, 7)), (read_yaml(YAML_LINES), (2, 5, 6, 7))]
)
def test_every_key_and_item_has_its_line(node: Node, lines):
    places = [(0, "id"), (0, "list"), (0, "list", 0), (0, "list", 1, "deep")]
    assert tuple(node.line_of(*place) for place in places) == lines


def test_the_line_of_what_is_not_there_is_that_of_what_is_around_it():
    assert read_json(JSON_LINES).line_of(0, "list", 1, "nothing", 4) == 7


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", 0, "is empty"),
        ("// nothing\n", 0, "is empty"),
        ("[" * 100_000, 1, "nested more than 64 deep"),
        ('{"a":' * 100_000, 1, "nested more than 64 deep"),
        ('{\n"a": ' + "9" * 5000 + "}", 2, "5000 digits is too large"),
        ('{"a": 1,\n "a": 2}', 2, '"a" is written twice, first on line 1'),
        ('{"a": NaN}', 1, '"NaN" is not a number that can be used'),
        ('{"a": -Infinity}', 1, '"-Infinity" is not a number that can be used'),
        ('{"a": 1e400}', 1, '"1e400" is too large'),
        ('["\\ud800"]', 1, "half a character"),
        ('["\\udc00\\ud800"]', 1, "half a character"),
        ('{"a": 1\n "b": 2}', 2, 'expected "," or "}" in the object that begins on line 1, found "b"'),
        ('["a" "b"]', 1, 'expected "," or "]"'),
        ("[1,,2]", 1, 'found ","'),
        ("[,]", 1, 'found ","'),
        ('{"a" 1}', 1, 'expected ":" after the key "a"'),
        ('{"a": }', 1, 'expected a value, found "}"'),
        ("{a: 1}", 1, "expected a key in double quotes"),
        ("{'a': 1}", 1, "use double quotes"),
        ("[yes]", 1, '"yes" is not a value: text stands in double quotes'),
        ("[01]", 1, '"01" is not a number'),
        ("[.5]", 1, '".5" is not a number'),
        ("[1.]", 1, '"1." is not a number'),
        ('["a\nb"]', 1, "does not end on its line"),
        ('["\\x"]', 1, "unknown escape"),
        ('["a]', 1, "does not end on its line"),
        ("[1", 1, "found the end of the file"),
        ("[1] [2]", 1, "comes after the end"),
        ("[1] /* never", 1, "a comment that never ends"),
        ("[1]\n#", 2, "comes after the end"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_not_json_is_one_error_with_its_line(text, line, part):
    found = failure(read_json, text)
    assert found[0] == line
    assert part in found[1]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("", 0, "is empty"),
        ("# nothing", 0, "is empty"),
        ("---\n", 0, "is empty"),
        ("[" * 100_000, 1, "nested more than 64 deep"),
        ("- " * 100_000, 1, "nested more than 64 deep"),
        ("a: 1\nb: &x [1]\nc: *x", 2, 'anchors such as "&x" are not read'),
        ("a: *x", 1, 'aliases such as "*x" are not read'),
        ("&x [*x]", 1, "anchors"),
        ("&k a: 1", 1, "has an anchor or a tag"),
        ("*k : 1", 1, "a key is plain text"),
        ("? [a]\n: 1", 1, "a key is plain text"),
        ("a: !!python/object/apply:os.system [ls]", 1, "are not read"),
        ("a: !own 1", 1, 'tags such as "!own" are not read'),
        ("a: !!str 1", 1, "are not read"),
        ("a: 1\nb: 2\na: 3", 3, '"a" is written twice, first on line 1'),
        ("a:\n\tb: 1", 2, "a tab cannot indent YAML"),
        ("a: .nan", 1, "not a number that can be used"),
        ("a: -.INF", 1, "not a number that can be used"),
        ("a: NaN", 1, "not a number that can be used"),
        ("a: 1e400", 1, "too large"),
        ("a: " + "9" * 5000, 1, "5000 digits is too large"),
        ("a: b: c", 1, "is not YAML"),
        ('a: "\\ud800"', 1, "is not YAML"),
        ('a: "x', 1, "is not YAML"),
        ("a: 1\n---\nb: 2", 2, "a second YAML document"),
        ("a: \ufffe", 0, "a character that YAML does not allow"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_not_plain_yaml_is_one_error_with_its_line(text, line, part):
    found = failure(read_yaml, text)
    assert found[0] == line
    assert part in found[1]


def test_yaml_guesses_nothing():
    text = (
        "on: off\nid: 0123\ntime: 12:30:45\nday: 2024-01-02\nversion: 1.10.0\nyes: no\nhex: 0x1F\nsix: 1_000\n<<: x\n"
    )
    assert read_yaml(text).value == {
        "on": "off",
        "id": "0123",
        "time": "12:30:45",
        "day": "2024-01-02",
        "version": "1.10.0",
        "yes": "no",
        "hex": "0x1F",
        "six": "1_000",
        "<<": "x",
    }


def test_yaml_takes_quoted_and_block_text_for_text_and_the_rest_as_json_does():
    text = 'a: "1"\nb: |\n  2\nc: -3\nd: 0.5\ne: true\nf: ~\ng:\nh: null\n1: x\n'
    expected = {"a": "1", "b": "2\n", "c": -3, "d": 0.5, "e": True, "f": None, "g": None, "h": None, "1": "x"}
    assert read_yaml(text).value == expected


@pytest.mark.parametrize("read", [read_json, read_yaml])
def test_nesting_is_allowed_up_to_the_limit(read):
    read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert "nested" in failure(read, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))[1]


def test_a_byte_order_mark_and_windows_line_ends_are_accepted():
    assert decoded(codecs.BOM_UTF8 + b"a\r\nb\rc") == "a\nb\nc"


@pytest.mark.parametrize(
    ("data", "line", "part"),
    [
        ("{}".encode("utf-16"), 0, "UTF-16"),
        ("{}".encode("utf-16-le"), 0, "UTF-16"),
        ("{}".encode("utf-32"), 0, "UTF-16 or UTF-32"),
        (b'{\n"a": "\xff"}', 2, "byte 0xff is not UTF-8"),
        (b'{\n"a": "\xed\xa0\x80"}', 2, "is not UTF-8"),
        (b'{\n\n"a": "\x1b[31m"}', 3, "a control character (U+001B)"),
        (b"a: 'long enough \0'", 1, "a control character (U+0000)"),
        (b" " * (MAX_BYTES + 1), 0, "larger than 8 MiB"),
    ],
)
def test_bytes_that_are_no_text_are_one_error(data, line, part):
    found = failure(decoded, data)
    assert found[0] == line
    assert part in found[1]


@pytest.mark.fuzz
@pytest.mark.parametrize("read", [read_json, read_yaml])
def test_any_text_is_read_or_refused(read):
    @given(st.text() | st.text('{}[]":,/*-?&!|>%@`#\\ \t\nau01e.'))
    def check(text):
        try:
            assert isinstance(read(text), Node)
        except DocumentError as error:
            assert 0 <= error.line <= text.count("\n") + text.count("\x85") + text.count("\u2028") + 2

    check()
