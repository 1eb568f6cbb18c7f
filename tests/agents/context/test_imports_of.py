"""What source files import, and which files of a repository that means."""

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.agents.context.imports import Paths, imported

FILES = (
    "app/__init__.py", "app/core/__init__.py", "app/core/model.py", "app/core/text.py", "app/main.py", "tests/model.py",
    "web/src/index.ts", "web/src/api.ts", "web/src/ui/button.tsx", "web/src/ui/index.ts", "web/package.json",
    "go/cmd/main.go", "go/internal/store/store.go", "go/internal/store/store_test.go", "go/internal/store/sql.go",
    "java/src/com/x/Model.java", "rust/src/lib.rs", "rust/src/parser.rs", "rust/src/ast/mod.rs",
    "c/main.c", "c/inc/list.h", "ruby/lib/app/model.rb", "ruby/lib/app.rb",
)  # fmt: skip


@pytest.mark.parametrize(
    ("path", "text", "means"),
    [
        ("app/main.py", "import app.core.model\n", ["app/core/model.py"]),
        (
            "app/main.py",
            "from app.core import text as t, model\n",
            ["app/core/__init__.py", "app/core/model.py", "app/core/text.py"],
        ),
        (
            "app/main.py",
            "from app.core import (\n    model,  # why\n    text,\n)\n",
            ["app/core/__init__.py", "app/core/model.py", "app/core/text.py"],
        ),
        (
            "app/core/text.py",
            "from .model import Model\nfrom .. import main\n",
            ["app/__init__.py", "app/core/model.py", "app/main.py"],
        ),
        ("app/main.py", "import os, sys\nfrom typing import Any\n", []),
        (
            "web/src/index.ts",
            "import { a } from './api'\nimport B from \"./ui/button.js\"\n",
            ["web/src/api.ts", "web/src/ui/button.tsx"],
        ),
        ("web/src/index.ts", "export * from './ui'; const x = require('react')", ["web/src/ui/index.ts"]),
        (
            "go/cmd/main.go",
            'import (\n\t"fmt"\n\ts "example.com/go/internal/store"\n)\n',
            ["go/internal/store/sql.go", "go/internal/store/store.go"],
        ),
        ("java/src/com/x/Main.java", "import com.x.Model;\nimport java.util.List;\n", ["java/src/com/x/Model.java"]),
        ("rust/src/lib.rs", "mod parser;\nuse crate::ast::Node;\n", ["rust/src/ast/mod.rs", "rust/src/parser.rs"]),
        ("c/main.c", '#include <stdio.h>\n#include "list.h"\n', ["c/inc/list.h"]),
        ("ruby/lib/app.rb", "require 'json'\nrequire_relative 'app/model'\n", ["ruby/lib/app/model.rb"]),
        ("README.md", "import app.core.model\n", []),
    ],
)
def test_imports_of_many_languages_are_found(path: str, text: str, means: list[str]) -> None:
    where = Paths(FILES)
    ending = posixpath.splitext(path)[1]
    assert sorted({other for name in imported(path, text) for other in where.named(name, ending)}) == means


def test_a_name_that_may_mean_many_files_means_none() -> None:
    assert Paths(["a/model.py", "b/model.py"]).named("model", ".py") == []
    assert Paths(["a/model.py", "b/model.py"]).named("a/model", ".py") == ["a/model.py"]


@given(st.sampled_from([".py", ".ts", ".go", ".java", ".rs", ".c", ".rb"]), st.text(max_size=200))
def test_any_text_can_be_looked_at(ending: str, text: str) -> None:
    where = Paths(FILES)
    for start in ("", "import ", "from ", "from . import ", "use ", '#include "', "require './"):
        for name in imported(f"a/b{ending}", start + text):
            assert isinstance(where.named(name, ending), list)
