"""Which tests show what becomes of bad input: fifty groups, each with the tests of all that is in it.

Each of the tests is there under the name that is given here. They show that there is one clear error, that nothing
crashes, and that nothing is left behind.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLAN = "cli/test_bad_input.py::test_a_bad_plan_is_refused_before_anything_begins"
OPTION = "cli/test_bad_input.py::test_a_bad_option_is_refused_before_anything_begins"
CONFIG = "cli/test_bad_input.py::test_a_bad_configuration_is_named_by_file_and_line"
PLACE = "cli/test_bad_input.py::test_a_place_without_a_whole_repository_is_refused"
VALUE = "plan/test_bundles.py::test_a_wrong_value_is_one_error_with_its_line_and_what_to_write"
SCOPE = "plan/test_scopes.py::test_a_scope_outside_of_the_repository_is_refused"
SPELLING = "plan/test_scopes.py::test_a_scope_has_one_spelling"
JSON = "plan/test_notations.py::test_what_is_not_json_is_one_error_with_its_line"
YAML = "plan/test_notations.py::test_what_is_not_plain_yaml_is_one_error_with_its_line"
BYTES = "plan/test_notations.py::test_bytes_that_are_no_text_are_one_error"
LINK = "workspace/test_sandbox.py::test_links_out_of_the_repository_are_a_problem"
BECAME_A_LINK = "workspace/test_bad_files.py::test_a_folder_that_became_a_link_brings_in_nothing_from_where_it_leads"
OWN_GIT = "hostile/test_git.py::test_what_it_does_to_its_own_repository_changes_nothing"
WATCHED = "engine/test_guarding.py::test_what_git_obeys_is_watched"
AUTHOR = "workspace/test_bad_files.py::test_no_name_of_an_author_is_in_what_is_merged"
SCREENS = "e2e/test_hostile_output.py::test_no_screen_lets_anything_of_an_agent_through"
COMMANDS = "e2e/test_hostile_output.py::test_no_command_lets_anything_of_an_agent_through"
RECORD = "engine/test_any_record.py::test_a_record_that_is_not_whole_or_of_the_wrong_kind_is_that_of_a_lost_attempt"
ANY_CONDITION = "cli/test_places.py::test_a_repository_in_any_condition_is_worked_in_and_left_in_it"
ENVIRONMENT = "cli/test_places.py::test_a_run_needs_nothing_of_its_environment"
CLOCK = "engine/test_clock.py::test_a_run_goes_on_whatever_the_clock_says"

SHOWN: Mapping[int, tuple[str, Sequence[str]]] = {
    1: ("id ../../etc/x", [VALUE]),
    2: ("id -rf", [VALUE]),
    3: ("id a..b", [VALUE]),
    4: ("id x.lock", [VALUE]),
    5: ("id a b", [VALUE]),
    6: ("id with a newline", [VALUE]),
    7: ("id @", [VALUE]),
    8: ("id -x", [VALUE]),
    9: (
        "uet beside uet/x",
        [VALUE, "cli/test_places.py::test_a_repository_that_cannot_be_worked_in_is_refused_and_stays_as_it_was"],
    ),
    10: ("twins by composition or case", [VALUE, PLAN]),
    11: ("scope ../outside/s", [VALUE, SCOPE, PLAN]),
    12: (
        "scope through a folder that is a link",
        [
            BECAME_A_LINK,
            "hostile/test_files.py::"
            "test_what_it_writes_through_a_link_of_the_repository_is_not_taken_and_a_sandbox_does_not_let_it",
        ],
    ),
    13: ("link to /etc/passwd", [LINK, "hostile/test_files.py::test_what_must_not_be_merged_is_not_and_says_why"]),
    14: ("scope /etc/passwd", [VALUE, SCOPE, PLAN]),
    15: ("scope inside .git, in any spelling", [VALUE, SCOPE, PLAN]),
    16: ("scope with NUL", [VALUE, SCOPE, PLAN]),
    17: ("scope empty, ., **, [a-z]*", [SCOPE, SPELLING, PLAN]),
    18: (
        "link swapped in after the check",
        ["workspace/test_bad_files.py::test_what_is_swapped_after_it_was_read_off_changes_nothing"],
    ),
    19: (
        "hard link to a file elsewhere",
        ["workspace/test_bad_files.py::test_a_hard_link_to_a_file_elsewhere_is_a_copy_and_never_written_through"],
    ),
    20: (
        "FIFO, socket, device",
        [
            "workspace/test_sandbox.py::test_fifos_and_sockets_are_a_problem_and_never_a_hang",
            "workspace/test_bad_files.py::test_a_device_is_a_problem_and_never_read",
            "cli/test_bad_input.py::test_a_plan_that_is_no_file_is_refused_and_never_waited_for",
        ],
    ),
    21: (
        "fsmonitor, hooks, filters, merge drivers, config.worktree, include.path",
        [
            "hostile/test_git.py::test_what_it_writes_into_its_git_is_never_executed",
            "workspace/test_untouched.py::test_nothing_an_agent_or_an_operator_configured_is_run_and_nothing_of_theirs_changes",
            WATCHED,
        ],
    ),
    22: ("main moved, refs deleted or packed, alternates written", [OWN_GIT, WATCHED]),
    23: (
        "repository inside, with hooks; submodule from ext::",
        [
            "workspace/test_sandbox.py::test_repositories_in_the_sandbox_are_a_problem_and_are_kept",
            "workspace/test_bad_files.py::test_hooks_of_a_repository_inside_and_addresses_of_submodules_are_never_run",
        ],
    ),
    24: (
        "message of 100 MB, forged trailers",
        [
            "workspace/test_bad_files.py::"
            "test_a_commit_of_the_agents_with_a_hundred_megabytes_to_say_is_moved_away_unread",
            "workspace/test_control.py::test_a_message_cannot_forge_trailers",
            OWN_GIT,
        ],
    ),
    25: ("author with ESC or newline", [AUTHOR]),
    26: (
        "names of any bytes",
        [
            "workspace/test_sandbox.py::test_names_of_any_bytes_survive",
            "engine/test_engine_edges.py::test_names_that_are_not_utf_8_are_merged_byte_for_byte",
            "hostile/test_files.py::test_names_that_no_terminal_should_see_are_told_harmlessly",
        ],
    ),
    27: (
        "what a terminal would act on",
        ["test_text.py::test_what_a_terminal_would_act_on_is_gone_and_the_rest_stays", SCREENS, COMMANDS],
    ),
    28: ("markup", [SCREENS, COMMANDS, "console/test_markup.py::test_markup_stays_text"]),
    29: (
        "2 MB in a line, 1 GB, no line end, split characters, NUL",
        [
            "store/test_artifacts.py::test_a_line_of_two_megabytes_is_read_whole_in_pieces",
            "store/test_artifacts.py::test_a_character_cut_at_the_end_waits_for_its_rest",
            "engine/test_keeper.py::test_a_hundred_megabytes_of_output_hold_nothing_up",
            "engine/test_keeper.py::test_a_gigabyte_of_output_holds_nothing_up_and_no_more_than_the_limit_is_kept",
            "engine/test_engine_edges.py::test_whatever_else_an_agent_does_its_files_are_merged",
            "agents/reading/test_listening.py::test_a_long_output_costs_no_memory_and_a_line_without_end_is_left_out",
        ],
    ),
    30: (
        "JSON nested a hundred thousand deep",
        [
            JSON,
            PLAN,
            "agents/reading/test_listening.py::test_any_output_can_be_read",
            "engine/test_any_record.py::test_any_bytes_in_the_records_of_an_attempt",
        ],
    ),
    31: (
        "whole number of 5000 digits",
        [JSON, PLAN, "agents/reading/test_formats.py::test_no_agent_can_report_what_is_no_amount"],
    ),
    32: ("JSON key twice", [JSON, PLAN]),
    33: (
        "NaN, Infinity, 1e400, -1",
        [
            PLAN,
            OPTION,
            VALUE,
            "agents/reading/test_formats.py::test_no_agent_can_report_what_is_no_amount",
            "engine/test_engine_edges.py::test_money_that_is_no_money_is_not_booked",
        ],
    ),
    34: (
        "half a character",
        [
            JSON,
            PLAN,
            "store/test_writer.py::test_foreign_text_is_made_harmless_on_its_way_in",
            "store/test_inbox.py::test_rubbish_is_refused_once_moved_aside_and_stops_nothing",
        ],
    ),
    35: (
        "record of an end missing, empty, cut, of 1 GB, of wrong types, of an older attempt",
        [
            "engine/test_any_record.py::test_without_a_record_an_attempt_has_not_ended",
            RECORD,
            "engine/test_any_record.py::test_a_record_of_a_gigabyte_is_not_read_whole",
            "core/test_resumption.py::test_a_collection_of_an_older_attempt_is_ignored",
            "hostile/test_claims.py::test_what_it_forges_of_its_attempt_is_not_believed",
        ],
    ),
    36: (
        "YAML that guesses",
        [
            "plan/test_notations.py::test_yaml_guesses_nothing",
            "plan/test_bundles.py::test_a_number_that_should_be_text_is_told_as_it_is_written",
            PLAN,
            CONFIG,
        ],
    ),
    37: ("!!python/object/apply", [YAML, PLAN, CONFIG]),
    38: ("YAML that multiplies or holds itself", [YAML, PLAN, CONFIG]),
    39: ("YAML key twice", [YAML, PLAN, CONFIG]),
    40: (
        "tabs, byte order marks, UTF-16, CRLF, 10 MB",
        [
            YAML,
            BYTES,
            "plan/test_notations.py::test_a_byte_order_mark_and_windows_line_ends_are_accepted",
            PLAN,
            CONFIG,
            "settings/test_layers.py::test_a_byte_order_mark_and_windows_line_ends_are_accepted",
            "settings/test_layers.py::test_a_file_of_another_encoding_is_told",
            "settings/test_layers.py::test_a_file_without_end_is_not_read",
        ],
    ),
    41: (
        "cycles, unknown and double ids, chains of 10,000, diamonds",
        [
            PLAN,
            "plan/test_graph.py::test_a_chain_of_ten_thousand_is_planned_without_recursion",
            "plan/test_graph.py::test_a_ring_of_ten_thousand_is_named_without_recursion",
            "plan/test_graph.py::test_a_diamond_has_three_waves",
        ],
    ),
    42: (
        '0, -1, 1e9 and "4" workers; timeout 0; budget 0',
        [OPTION, CONFIG, VALUE, "cli/test_run.py::test_a_budget_of_nothing_starts_nothing_that_costs"],
    ),
    43: (
        "no home, no terminal, no locale, no folder; repositories in any condition",
        [
            ENVIRONMENT,
            "cli/test_bad_input.py::test_no_home_is_no_reason_to_fail",
            "cli/test_bad_input.py::test_the_console_needs_all_three_streams_to_be_a_terminal_that_can_draw",
            "cli/test_bad_input.py::test_a_folder_that_is_gone_is_said_to_be",
            PLACE,
            ANY_CONDITION,
            "cli/test_places.py::test_a_shallow_clone_is_worked_in_and_landed_on",
            "cli/test_places.py::test_a_repository_that_cannot_be_worked_in_is_refused_and_stays_as_it_was",
            "cli/test_places.py::test_a_repository_of_somebody_else_is_refused_until_it_is_trusted",
            "merge/test_landing.py::test_a_branch_in_the_middle_of_a_rebase_is_refused",
        ],
    ),
    44: (
        "stores that are none, damaged, too new, read-only, on a full disk",
        [
            "store/test_database.py::test_what_is_no_store_is_named_and_left_as_it_is",
            "store/test_database.py::test_a_store_of_a_newer_version_is_refused",
            "store/test_database.py::test_a_place_that_cannot_be_written_is_named",
            "store/test_writer.py::test_a_full_disk_is_told_and_leaves_the_store_as_it_was",
            "engine/test_full_disk.py::test_what_cannot_be_written_is_kept_until_there_is_room",
        ],
    ),
    45: (
        "a pid that somebody else has by now, another boot",
        [
            "engine/test_keeper.py::test_a_pid_that_somebody_else_has_by_now_is_never_touched",
            "engine/test_keeper.py::test_whether_an_attempt_lives_is_told_by_its_lock_alone",
            "store/test_lock.py::test_who_dies_lets_go_though_its_agents_live_on",
        ],
    ),
    46: (
        "clock an hour back, a year forward, summer time",
        [
            CLOCK,
            "core/test_retries.py::test_a_clock_that_is_set_back_does_not_make_a_retry_wait_for_it_to_catch_up",
            "core/test_retries.py::test_a_clock_that_is_set_forward_only_makes_a_retry_start_sooner",
            "engine/test_stalling.py::test_a_machine_that_slept_or_whose_clock_was_set_makes_nobody_quiet",
            "gates/test_memory.py::test_it_is_forgotten_after_a_day_and_where_the_clock_was_set_back",
            "cli/test_places.py::test_times_are_utc_whatever_the_zone_and_its_summer_time",
        ],
    ),
    47: (
        "gates that are missing, hang, fork, print secrets, end oddly",
        [
            "gates/test_runner.py::test_the_exit_code_is_the_verdict_and_a_line_that_it_printed_the_trouble",
            "gates/test_runner.py::test_a_command_that_does_not_end_is_ended_with_what_it_started",
            "gates/test_runner.py::test_what_a_command_leaves_in_the_background_does_not_hold_it_up",
            "gates/test_runner.py::test_secrets_are_neither_in_the_record_nor_in_the_log",
            "engine/test_gating.py::test_a_missing_program_is_an_error_that_names_it_and_no_agent_is_asked_to_mend_it",
        ],
    ),
    48: (
        "secrets echoed, split across pieces",
        [
            "engine/test_secrets.py::test_no_secret_is_anywhere_after_a_run",
            "test_redaction.py::test_a_secret_is_found_wherever_the_stream_is_cut",
            "e2e/test_secrets.py::test_no_screen_shows_a_secret",
        ],
    ),
    49: (
        "two orchestrators",
        [
            "cli/test_bad_input.py::test_a_second_orchestrator_is_refused_with_5",
            "cli/test_run.py::test_a_second_orchestrator_is_refused_with_5",
            "engine/test_recovery.py::test_of_two_orchestrators_one_has_the_run",
            "cli/test_places.py::test_two_runs_of_one_repository_at_a_time_do_not_meet",
            "e2e/test_many_hands.py::test_no_command_is_lost_and_none_is_done_twice",
        ],
    ),
    50: (
        "a disk that is full where a sandbox is made",
        [
            "engine/test_full_disk.py::test_a_sandbox_for_which_there_is_no_room_is_made_once_there_is",
            "engine/test_full_disk.py::test_with_little_room_nothing_is_begun_and_the_run_goes_on_by_itself",
        ],
    ),
}

ANY = (
    "plan/test_bundles.py::test_any_bytes_give_workstreams_or_errors_and_never_raise",
    "plan/test_notations.py::test_any_text_is_read_or_refused",
    "plan/test_bundles.py::test_any_values_give_workstreams_or_errors_and_never_raise",
    "settings/test_any_file.py::test_any_bytes_in_a_file",
    "settings/test_any_file.py::test_any_values_in_a_file",
    "settings/test_any_file.py::test_any_words_on_the_command_line_and_in_the_environment",
    "engine/test_any_record.py::test_any_bytes_in_the_records_of_an_attempt",
    "agents/reading/test_listening.py::test_whatever_comes_in_whatever_pieces_the_same_is_understood",
    "store/test_inbox.py::test_nothing_that_lies_in_the_inbox_makes_taking_fail",
)
"""And anything at all: plans, configuration, what agents leave and say, the inbox.

Ten thousand of each: `make fuzz`.
"""


def test_there_are_fifty() -> None:
    assert list(SHOWN) == [*range(1, 51)]


@pytest.mark.parametrize("shown", sorted({*ANY, *(shown for _, all in SHOWN.values() for shown in all)}))
def test_what_shows_it_is_there(shown: str) -> None:
    file, _, name = shown.partition("::")
    assert re.search(rf"^ *(?:async )?def {name}\(", (HERE / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("shown", ANY)
def test_anything_at_all_is_tried_ten_thousand_times(shown: str) -> None:
    file, _, name = shown.partition("::")
    decorated = (HERE / file).read_text().partition(f"def {name}(")[0].rpartition("\n\n\n")[2]
    assert decorated.startswith("@pytest.mark.fuzz\n")
