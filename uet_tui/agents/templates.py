"""Prompts from their templates: in a sandbox, where an unknown name is an error that names file, line and the fix."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from traceback import walk_tb

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateNotFound, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from uet_tui.errors import UetError
from uet_tui.settings.prompts import PromptFile
from uet_tui.text import one_line

_CALLED_FOR = frozenset({"task.md.j2", "conflict.md.j2"})
"""The templates that are rendered; all others are there for them to include."""

_MARK = "__jinja_exception__"
"""In the globals of a frame that stands for a line of a template."""


class Prompts:
    """The templates of a run."""

    def __init__(self, files: Mapping[str, PromptFile]) -> None:
        """`files` by name; all that is rendered or included must be among them."""
        self._files = files
        self._jinja = ImmutableSandboxedEnvironment(
            loader=FunctionLoader(lambda name: (files[name].text, files[name].place, None) if name in files else None),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        """A prompt.

        Args:
            name: of the template.
            facts: what it is told; text of others as `Record`.

        Raises:
            UetError: the template is wrong; names its file, the line and the fix.
        """
        try:
            return self._jinja.get_template(name).render(facts)
        except TemplateSyntaxError as error:
            raise self._wrong(error.name or name, error.lineno, _said(error)) from error
        except TemplateNotFound as error:
            raise UetError(f"{self._place(error, name)}: it includes {error.name}, which is not there") from error
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise UetError(f"{self._place(error, name)}: {_said(error)}") from error
        except RecursionError as error:
            raise self._wrong(name, 0, "it includes itself without end; take one include out") from error

    def check(self, known: Mapping[str, Iterable[str]]) -> None:
        """Checks what can be told of the templates without rendering them.

        Args:
            known: by template, the names that it may use.

        Raises:
            UetError: one is no template, uses a name that there is not, or is used by no other.
        """
        used: set[str] = set()
        for name, file in self._files.items():
            try:
                tree = self._jinja.parse(file.text, name)
            except TemplateSyntaxError as error:
                raise self._wrong(name, error.lineno, _said(error)) from error
            used.update(included for included in meta.find_referenced_templates(tree) if included)
            if name in known:
                self._check_names(name, tree, {*known[name], *self._jinja.globals})
        for name, file in self._files.items():
            if name not in used | _CALLED_FOR:
                meant = get_close_matches(name, sorted(_CALLED_FOR | {*self._files} - {name}), n=1)
                hint = f"; did you mean {meant[0]}?" if meant else ", so take it away or include it"
                raise UetError(f"{file.place}: no prompt uses it{hint}")

    def _check_names(self, name: str, tree: nodes.Template, known: set[str]) -> None:
        unknown = meta.find_undeclared_variables(tree) - known
        if unknown:
            first = min((n.lineno, n.name) for n in tree.find_all(nodes.Name) if n.name in unknown)
            raise self._wrong(name, first[0], f"there is no `{first[1]}` here; {_nearest(first[1], known)}")

    def _place(self, error: Exception, name: str) -> str:
        """The innermost line of a template that an error came from: Jinja puts such lines into the traceback."""
        frames = [(f.f_code.co_filename, line) for f, line in walk_tb(error.__traceback__) if _MARK in f.f_globals]
        return "{}:{}".format(*frames[-1]) if frames else self._files[name].place

    def _wrong(self, name: str, line: int, what: str) -> UetError:
        file = self._files.get(name)
        place = file.place if file else name
        return UetError(f"{place}:{line}: {what}" if line else f"{place}: {what}")


def _said(error: Exception) -> str:
    return one_line(str(error) or type(error).__name__).rstrip(".")


def _nearest(name: str, known: Iterable[str]) -> str:
    meant = get_close_matches(name, known, n=1)
    return f"did you mean `{meant[0]}`?" if meant else f"there are: {', '.join(sorted(known))}"
