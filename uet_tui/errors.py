"""The one family of errors that an operator sees: what is wrong, where, and what to do about it."""


class UetError(Exception):
    """An error with a message fit for the operator; the command line prints it on one line, without a traceback."""

    exit_code = 2
    """What the process ends with: 2 is bad usage, plan or configuration."""


class RunLockedError(UetError):
    """Another orchestrator has the run."""

    exit_code = 5
