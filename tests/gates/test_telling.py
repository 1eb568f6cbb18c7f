"""Which line of a failed command's output is told."""

import pytest

from uet_tui.core.retries import signature
from uet_tui.gates.telling import telling_line

PYTEST = """\
..F                                                                      [100%]
=================================== FAILURES ===================================
    def test_add():
>       assert add(1, 2) == 3
E       assert -1 == 3

tests/test_calc.py:5: AssertionError
=========================== short test summary info ============================
FAILED tests/test_calc.py::test_{name} - assert -1 == 3
1 failed, 2 passed in 0.12s
"""
UNITTEST = """\
======================================================================
FAIL: test_{name} (tests.test_calc.Sums)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/sandbox/tests/test_calc.py", line 9, in test_{name}
AssertionError: -1 != 3

Ran 3 tests in 0.001s

FAILED (failures=1)
"""
RUFF = """\
F401 [*] `{name}` imported but unused
 --> warn.py:1:8

Found 1 error.
[*] 1 fixable with the `--fix` option.
"""


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (PYTEST, "FAILED tests/test_calc.py::test_{name} - assert -1 == 3"),
        (
            f"python -m pytest\n{PYTEST}make: *** [Makefile:2: test] Error 1\n",
            "FAILED tests/test_calc.py::test_{name} -",
        ),
        (UNITTEST, "FAIL: test_{name} (tests.test_calc.Sums)"),
        (RUFF, "F401 [*] `{name}` imported but unused"),
        (
            "warn.py:1:8: F401 `os` imported\nwarn.py:2:8: F401 `re`\nFound 2 errors.\n",
            "warn.py:1:8: F401 `os` imported",
        ),
        ("checking\n{name} is wrong\nmake: *** [Makefile:2: test] Error 1\n", "{name} is wrong"),
        ("no {name}\nnpm error code 1\nnpm error path /sandbox\n", "no {name}"),
        ("make: *** [Makefile:2: test] Error 1\n", "make: *** [Makefile:2: test] Error 1"),
        ("22:04:27 began\n22:04:28 {name} is wrong\n", "22:04:28 {name} is wrong"),
        ("", "silent"),
        (" \n\n", "silent"),
    ],
)
def test_the_line_that_names_the_failure_is_told(output: str, told: str) -> None:
    assert telling_line(output, "silent").startswith(told)


@pytest.mark.parametrize("output", [PYTEST, UNITTEST, f"{PYTEST}make: *** [Makefile:2: test] Error 1\n"])
def test_two_tests_that_fail_one_after_the_other_are_not_the_same_error(output: str) -> None:
    one, other = (signature(telling_line(output.replace("{name}", name), "")) for name in ("add", "take_away"))
    assert one != other
    again = output.replace("{name}", "add").replace("0.12s", "0.34s").replace("0.001s", "0.002s")
    assert signature(telling_line(again, "")) == one
