"""The outline of a Python module, as Python: classes, functions and constants, with docstrings and without bodies."""

import ast
import re
import threading
import warnings

_LONGEST_VALUE = 60
"""Characters of a constant's value that are shown."""
_EMPTY = re.compile(r":\n\s+\.\.\.$", re.M)
"""A body that is left out, as it is unparsed: on a line of its own."""
_quiet = threading.Lock()
"""Held while warnings are off: which are shown is one setting for the process."""


def outline_python(text: str, *, brief: bool = False) -> str:
    """The outline of a module's text; empty if it does not parse or defines nothing. What it gives parses.

    Args:
        text: the module.
        brief: only what is public, without docstrings and constants.
    """
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of the file's escapes is nobody's business here
            module = ast.parse(text)
            module.body = _kept(module.body, brief=brief, doc=not brief)
            told = _EMPTY.sub(": ...", ast.unparse(ast.fix_missing_locations(module)))
            ast.parse(told)  # a surrogate in a string, or nesting, may come out as what Python does not take
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return told


def _kept(body: list[ast.stmt], *, brief: bool, doc: bool) -> list[ast.stmt]:
    """Of the statements of a module or class: its docstring, and what it defines."""
    found = _docstring(body) if doc else []
    for statement in body:
        match statement:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (
                brief and name.startswith("_") and name != "__init__"
            ):
                continue
            case ast.ClassDef():
                statement.body = _kept(statement.body, brief=brief, doc=doc) or [_dots()]
                found.append(statement)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                statement.body = (_docstring(statement.body) if doc else []) or [_dots()]
                found.append(statement)
            case ast.AnnAssign(target=ast.Name()) if not brief:
                statement.value = _short(statement.value)
                found.append(statement)
            case ast.Assign(targets=[ast.Name(id=name)]) if name.isupper() and not brief:
                statement.value = _short(statement.value) or ast.Constant(...)
                found.append(statement)
            case ast.If() | ast.Try() | ast.With() if any(map(_defines, ast.walk(statement))):
                found += _kept(
                    [s for s in ast.iter_child_nodes(statement) if isinstance(s, ast.stmt)], brief=brief, doc=False
                )
    return found


def _defines(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)


def _docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """The first paragraph of what a module, class or function says of itself."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str() as text)), *_] if text.strip():
            first = "\n".join(line.strip() for line in text.strip().split("\n\n")[0].splitlines())
            return [ast.Expr(ast.Constant(first))]
    return []


def _short(value: ast.expr | None) -> ast.expr | None:
    if value is None or len(ast.unparse(value)) <= _LONGEST_VALUE:
        return value
    return ast.Constant(...)


def _dots() -> ast.stmt:
    return ast.Expr(ast.Constant(...))
