"""Files in outline: what they define, and nothing of what it does."""

import ast
import sysconfig
import textwrap
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uet_tui.agents.context.outline import outline
from uet_tui.agents.context.outline_syntax import _GRAMMAR_OF

PYTHON = '''
"""What it is.

More of it.
"""
import os
LIMIT = 10
TABLE = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9}
hidden = 3

@decorated(1)
class Thing(Base):
    """A thing.

    Details."""
    size: int = 0
    def grow(self, by: int = 1, *, fast: bool) -> "Thing":
        """Grows."""
        return self._grown(by)
    async def _grown(self, by): return self

if os.name == "posix":
    def where(): return 1
'''


def test_python_is_told_by_signatures_and_the_first_of_what_is_said() -> None:
    told = outline("a.py", PYTHON.encode())
    assert told == textwrap.dedent('''\
        """What it is."""
        LIMIT = 10
        TABLE = ...

        @decorated(1)
        class Thing(Base):
            """A thing."""
            size: int = 0

            def grow(self, by: int=1, *, fast: bool) -> 'Thing':
                """Grows."""

            async def _grown(self, by): ...

        def where(): ...''')


def test_a_short_outline_is_what_others_may_call() -> None:
    told = outline("a.py", PYTHON.encode(), brief=True)
    assert told is not None and "def grow" in told
    for absent in ("_grown", "LIMIT", "size", '"""'):
        assert absent not in told


def statements() -> st.SearchStrategy[str]:
    """Python that parses: definitions in definitions, with anything for names, docstrings and values."""
    name = st.from_regex(r"[A-Za-z_äß][A-Za-z0-9_]{0,5}x", fullmatch=True)
    value = st.one_of(st.text(max_size=20), st.binary(max_size=9), st.integers(), st.floats(allow_nan=False)).map(repr)
    doc = st.text(max_size=40).map(lambda text: f"{text!r}\n")
    plain = st.one_of(
        st.builds("{} = {}\n".format, name, value),
        st.builds("{}: int = {}\n".format, name, value),
        st.builds("import {}\n".format, name),
        doc,
    )

    def deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        body = st.builds("".join, st.lists(inner, min_size=1, max_size=3)).map(
            lambda text: textwrap.indent(text, "    ")
        )
        return st.one_of(
            st.builds("def {}({}={}):\n{}".format, name, name, value, body),
            st.builds("async def {}(*a, {}):\n{}".format, name, name, body),
            st.builds("class {}({}):\n{}".format, name, name, body),
            st.builds("if {}:\n{}else:\n{}".format, name, body, body),
            st.builds("try:\n{}except {}:\n{}".format, body, name, body),
        )

    return st.lists(st.recursive(plain, deeper, max_leaves=6), max_size=3).map("".join)


@given(source=statements(), brief=st.booleans())
@settings(max_examples=40)
def test_the_outline_of_python_that_parses_parses_and_names_nothing_else(source: str, brief: bool) -> None:
    ast.parse(source)
    told = outline("a.py", source.encode("utf-8", "surrogatepass"), brief=brief)
    if told is not None:
        names = {node.name for node in ast.walk(ast.parse(told)) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        assert names <= {node.name for node in ast.walk(ast.parse(source)) if hasattr(node, "name")}


def test_outlines_of_the_standard_library_parse_and_are_shorter() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    for path in sorted(folder.glob("[ab]*.py")):
        data = path.read_bytes()
        told = outline(path.name, data)
        if told is not None:
            ast.parse(told)
            assert len(told) < len(data)


@pytest.mark.parametrize(
    "source", ["def f(:\n", "x = '\0'\n", "(" * 500, "a" + ".b" * 50_000, "[" * 90 + "]" * 90, "\ufeffx", "x = 3\n", ""]
)
def test_what_does_not_parse_or_defines_nothing_has_no_outline(source: str) -> None:
    assert outline("a.py", source.encode()) is None


def test_what_python_thinks_of_escapes_is_not_said() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert outline("a.py", b'def f(x="\\d"): pass\n') is not None


SOURCES = {
    "a.go": (
        "// F does.\nfunc (t *T) F(a int) (int, error) { return 1, nil }\n",
        ["// F does.", "func (t *T) F(a int) (int, error)"],
    ),
    "a.rs": (
        "impl<T> Tr for S<T> { pub fn m(&self) -> u8 { 1 } }\n",
        ["impl<T> Tr for S<T>", "    pub fn m(&self) -> u8"],
    ),
    "a.java": (
        "/** Doc. */\npublic class A<T> extends B { private int x = 1;"
        " @Override public int m(String s) { return 1; } }\n",
        [
            "/** Doc. */",
            "public class A<T> extends B",
            "    private int x = 1;",
            "    @Override public int m(String s)",
        ],
    ),
    "a.ts": (
        "export const f = (a: number) => { return a };\nexport interface A { y(): string }\n",
        ["export const f = (a: number)", "export interface A", "    y(): string"],
    ),
    "a.tsx": ("export function V(p: P) { return <b>{p.x}</b> }\n", ["export function V(p: P)"]),
    "a.js": ("class A { async m(a) { return 1 } }\nfunction* g() {}\n", ["class A", "    async m(a)", "function* g()"]),
    "a.rb": (
        "# Doc\nmodule M\n  class A < B\n    def m(a, b = 1)\n      1\n    end\n  end\nend\n",
        ["# Doc", "module M", "    class A < B", "        def m(a, b = 1)"],
    ),
    "a.c": (
        "/* doc */\nstatic int f(int x) { return 1; }\nint g(void);\n",
        ["/* doc */", "static int f(int x)", "int g(void);"],
    ),
    "a.cpp": (
        "namespace n { template <typename T> class C : public B { virtual int m() const = 0; }; }\n",
        ["namespace n", "    template <typename T> class C : public B", "        virtual int m() const = 0;"],
    ),
    "a.md": ("# One\n\ntext\n\n## Two\n```sh\n# no heading\n```\n", ["# One", "## Two"]),
}


@pytest.mark.parametrize("name", SOURCES)
def test_other_languages_are_told_by_the_headers_of_what_they_define(name: str) -> None:
    source, lines = SOURCES[name]
    told = outline(name, source.encode())
    assert told is not None and told.splitlines() == lines


def test_a_short_outline_leaves_comments_and_fields_out() -> None:
    assert outline("a.java", SOURCES["a.java"][0].encode(), brief=True) == (
        "public class A<T> extends B\n    @Override public int m(String s)"
    )


@given(ending=st.sampled_from([*_GRAMMAR_OF, ".md", ".yaml", ""]), data=st.binary(max_size=300), brief=st.booleans())
def test_any_content_can_be_outlined(ending: str, data: bytes, brief: bool) -> None:
    told = outline(f"a{ending}", data, brief=brief)
    assert told is None or told


@pytest.mark.parametrize("ending", sorted(_GRAMMAR_OF))
def test_nesting_without_end_is_no_trouble(ending: str) -> None:
    for opening in ("{", "(", "class A {", "namespace n {", "mod m {", "module M\n"):
        outline(f"a{ending}", opening.encode() * 1_000)


def test_there_is_no_outline_of_what_nobody_wrote_or_nobody_knows() -> None:
    assert outline("a.py", b"def f(): pass\n" + b"#" * 400_000) is None
    assert outline("a.yaml", b"a: 1\n") is None
