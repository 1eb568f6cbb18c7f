"""The conflict desk: every conflict of a run, hunk by hunk, with what each side did and why."""
