"""The rehearsal agent: takes its time, makes its edits, claims its cost, without a model.

Started as a script, `python -I -S simulated.py SPEC`, in a sandbox. SPEC is a workstream as JSON with a `simulated`
object: `seconds`, `cost_usd`, `attempt`. The workstream's own `metadata.simulate` may say more:

- `seconds`, `cost_usd`: instead of the settings'
- `edits`: a list of `{"path", "content"}` (write), `{"path", "append"}`, or `{"path", "replace", "with"}`
- `fail_attempts`: how many of the first attempts fail
- `no_change`: true to state that nothing needs changing

Asked to resolve a conflict, the spec has `resolve`, a list of paths: it writes both sides, ours first, wherever one of
these files holds conflict markers.

Without `edits` it adds one line to each file in its scope that it can find, or makes the first one.
"""

import json
import os
import sys
import time

_STEPS = 8
"""How many lines of progress a rehearsal prints."""


def main(spec_path: str) -> int:
    """Plays one attempt; 1 if this one is to fail."""
    with open(spec_path, encoding="utf-8") as file:  # noqa: PTH123 - importing pathlib costs more than this program
        spec = json.load(file)
    settings = spec["simulated"]
    script = spec.get("metadata", {}).get("simulate", {})
    seconds = float(script.get("seconds", settings["seconds"])) / float(settings["speed"])
    tasks = spec["tasks"] or ["nothing to do"]
    say(f"rehearsing {spec['id']}: {len(tasks)} tasks in {seconds:.1f} s")
    for step in range(_STEPS):
        say(f"[{step + 1}/{_STEPS}] {tasks[step * len(tasks) // _STEPS]}")
        time.sleep(seconds / _STEPS)
    failing = settings["attempt"] <= int(script.get("fail_attempts", 0))
    if "resolve" in spec:
        for path in spec["resolve"]:
            resolve(path)
            say(f"resolved {path}: both sides, ours first")
    elif script.get("no_change"):
        say(json.dumps({"uet": {"no_change": True}}))
    elif not failing:
        for path in apply(script["edits"]) if "edits" in script else touch(spec):
            say(f"edited {path}")
    cost = float(script.get("cost_usd", settings["cost_usd"]))
    use = {"cost_usd": cost, "tokens_in": int(cost * 200_000), "tokens_out": int(cost * 20_000)}
    say(json.dumps({"uet": use}))
    if failing:
        say("error: the rehearsal was told to fail this attempt")
        return 1
    return 0


def say(line: str) -> None:
    """Prints a line at once."""
    print(line, flush=True)  # noqa: T201 - a program's own output


def apply(edits: list[dict[str, str]]) -> list[str]:
    """Makes the scripted edits; returns their paths."""
    for edit in edits:
        path = edit["path"]
        make_folder(path)
        if "content" in edit:
            text = edit["content"]
        else:
            text = read(path)
            if "replace" in edit:
                if edit["replace"] not in text:
                    say(f"warning: {path} does not hold the text to replace")
                text = text.replace(edit["replace"], edit["with"], 1)
            else:
                text += edit["append"]
        write(path, text)
    return [edit["path"] for edit in edits]


def touch(spec: dict) -> list[str]:  # type: ignore[type-arg]  # plain JSON
    """Adds a line to each plain file of the scope, or makes the first that can be made."""
    done = []
    line = f"rehearsed by {spec['id']}\n"
    scope = [p for p in spec["files_scope"] + spec["files_create"] if not any(c in p for c in "*?[")]
    for path in scope:
        if os.path.isfile(path):  # noqa: PTH113 - see above
            write(path, read(path) + line)
            done.append(path)
    if not done and scope:
        path = scope[0].rstrip("/")
        if scope[0].endswith("/") or os.path.isdir(path) or "." not in path.rpartition("/")[2]:  # noqa: PTH112
            path = f"{path}/{spec['id']}.txt"
        make_folder(path)
        write(path, line)
        done.append(path)
    return done


def resolve(path: str) -> None:
    """Writes both sides of each conflict in a file, ours first, without the base."""
    kept = []
    side = "both"
    for line in read(path).splitlines(keepends=True):
        if line.startswith("<<<<<<< ") and side == "both":
            side = "ours"
        elif line.startswith("||||||| ") and side == "ours":
            side = "base"
        elif line.rstrip("\r\n") == "=======" and side in ("ours", "base"):
            side = "theirs"
        elif line.startswith(">>>>>>> ") and side == "theirs":
            side = "both"
        elif side != "base":
            kept.append(line)
    if kept:
        write(path, "".join(kept))


def make_folder(path: str) -> None:
    """Makes the folders above a path."""
    folder = os.path.dirname(path)  # noqa: PTH120 - see above
    if folder:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103


def read(path: str) -> str:
    """The text of a file, empty if there is none."""
    if not os.path.exists(path):  # noqa: PTH110
        return ""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:  # noqa: PTH123
        return file.read()


def write(path: str, text: str) -> None:
    """Writes a file."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:  # noqa: PTH123
        file.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
