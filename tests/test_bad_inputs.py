"""Which tests show what becomes of bad input, kind by kind; each of them is there under the name that is given here."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REFUSED = "cli/test_bad_input.py::test_a_bad_plan_is_refused_before_anything_begins"
PLACE = "cli/test_bad_input.py::test_a_place_without_a_whole_repository_is_refused"
SHOWN: Mapping[str, Sequence[str]] = {
    "ids that are no names of branches or files": [
        "plan/test_bundles.py::test_a_wrong_value_is_one_error_with_its_line_and_what_to_write"
    ],
    "scopes that lead out, or to .git": [
        REFUSED,
        "plan/test_scopes.py::test_a_scope_outside_of_the_repository_is_refused",
    ],
    "links out of the repository": ["workspace/test_sandbox.py::test_links_out_of_the_repository_are_a_problem"],
    "FIFOs, sockets and devices": [
        "workspace/test_sandbox.py::test_fifos_and_sockets_are_a_problem_and_never_a_hang",
        "cli/test_bad_input.py::test_a_plan_that_is_no_file_is_refused_and_never_waited_for",
    ],
    "configuration of git that an agent wrote": [
        "workspace/test_untouched.py::test_nothing_an_agent_or_an_operator_configured_is_run_and_nothing_of_theirs_changes"
    ],
    "repositories in a sandbox": [
        "workspace/test_sandbox.py::test_repositories_in_the_sandbox_are_a_problem_and_are_kept"
    ],
    "forged trailers": ["workspace/test_control.py::test_a_message_cannot_forge_trailers"],
    "names of any bytes": ["workspace/test_sandbox.py::test_names_of_any_bytes_survive"],
    "output that a terminal would act on": [
        "e2e/test_hostile_output.py::test_no_screen_lets_anything_of_an_agent_through"
    ],
    "endless lines and split characters": [
        "store/test_artifacts.py::test_a_line_of_two_megabytes_is_read_whole_in_pieces"
    ],
    "JSON too deep": [REFUSED, "engine/test_any_record.py::test_any_bytes_in_the_records_of_an_attempt"],
    "money that is none": [REFUSED, "engine/test_engine_edges.py::test_money_that_is_no_money_is_not_booked"],
    "YAML that guesses": ["plan/test_notations.py::test_yaml_guesses_nothing"],
    "YAML with tags or aliases": ["plan/test_notations.py::test_what_is_not_plain_yaml_is_one_error_with_its_line"],
    "bytes that are no text": ["plan/test_notations.py::test_bytes_that_are_no_text_are_one_error"],
    "cycles, unknown and double ids": [
        REFUSED,
        "plan/test_graph.py::test_a_ring_of_ten_thousand_is_named_without_recursion",
    ],
    "numbers of workers that cannot be": ["cli/test_bad_input.py::test_a_bad_option_is_refused_before_anything_begins"],
    "places that are no repository, no home, no terminal": [
        PLACE,
        "cli/test_bad_input.py::test_no_home_is_no_reason_to_fail",
        "cli/test_bad_input.py::test_a_folder_that_is_gone_is_said_to_be",
    ],
    "stores that are none": ["store/test_database.py::test_what_is_no_store_is_named_and_left_as_it_is"],
    "two orchestrators": ["cli/test_bad_input.py::test_a_second_orchestrator_is_refused_with_5"],
    "any bundle": ["plan/test_bundles.py::test_any_bytes_give_workstreams_or_errors_and_never_raise"],
    "any configuration": ["settings/test_any_file.py::test_any_values_in_a_file"],
    "any inbox": ["store/test_inbox.py::test_nothing_that_lies_in_the_inbox_makes_taking_fail"],
}


@pytest.mark.parametrize("kind", SHOWN)
def test_what_shows_it_is_there(kind: str) -> None:
    for shown in SHOWN[kind]:
        file, _, name = shown.partition("::")
        assert re.search(rf"^ *def {name}\(", (HERE / file).read_text(), re.MULTILINE), shown
