"""Keeping secrets from disk and screen: their values, in the forms that programs print them in, become a mark.

Nothing but the standard library, and little of that: the keeper loads this, too. What somebody disguises on purpose
(wrapped over lines, spelled, encrypted) is not found; no such search could.
"""

import binascii
import json
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping

SHORTEST = 8
"""Characters of a value that is taken for a secret: shorter ones are words that any text holds."""
_NOISE = rb"[\0-\x08\x0b-\x1a\x1c-\x1f\x7f]++|\x1b(?:\[[0-9;:]*(?:[mK]|\Z))?+"
"""What is between the characters of a text that is shown in colour, or in two bytes a character."""
_UNQUOTED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
"""What stays as it is in the address of a page."""
_CHUNK = 1 << 20


class Redactor:
    """Puts a mark in the place of each secret, such as `«OPENAI_API_KEY»`."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """`secrets` are values by the name that is shown instead; values too short to tell are left alone."""
        self._secrets = dict(secrets)
        forms: dict[bytes, str] = {}
        for name, value in secrets.items():
            if len(value) >= SHORTEST:
                for form in _forms(value.encode("utf-8", "surrogateescape")):
                    forms.setdefault(form, name)
        self._forms = sorted(forms.items(), key=lambda item: -len(item[0]))
        self._longest = max(map(len, forms), default=0)
        self._spread: dict[bytes, re.Pattern[bytes]] = {}

    def __bool__(self) -> bool:
        return bool(self._forms)

    def only(self, names: Collection[str]) -> "Redactor":
        """One that knows some of the secrets only."""
        return Redactor({name: value for name, value in self._secrets.items() if name in names})

    def found_in(self, data: bytes) -> set[str]:
        """The names of the secrets in some bytes."""
        found: set[str] = set()
        self.data(data, found)
        return found

    def text(self, text: str) -> str:
        """The text without secrets. What was made harmless is redacted after that: controls may have parted them."""
        if not self._forms:
            return text
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def data(self, data: bytes, found: set[str] | None = None) -> bytes:
        """The bytes without secrets; `found` gets the names of those that were there."""
        found = set() if found is None else found
        for form, name in self._forms:
            if form in data:
                data = data.replace(form, _mark(name))
                found.add(name)
        if b"\x1b" in data or b"\0" in data:
            bare = re.sub(_NOISE, b"", data)
            for form, name in self._forms:
                if form in bare:
                    data = self._spread_out(form).sub(_mark(name), data)
                    found.add(name)
        return data

    def _spread_out(self, form: bytes) -> re.Pattern[bytes]:
        """Finds a form with anything that is not shown between its bytes. Made only where one is there to find."""
        if form not in self._spread:
            between = b"(?:%s)*+" % _NOISE
            self._spread[form] = re.compile(between.join(re.escape(form[at : at + 1]) for at in range(len(form))))
        return self._spread[form]

    def opening(self, data: bytes) -> tuple[int, str]:
        """How many bytes at the end may be the beginning of a secret that goes on, and of which one; 0 if none."""
        tail = data[-4 * self._longest :] if self._longest else b""
        if b"\x1b" not in tail and b"\0" not in tail:
            return self._opening(tail)
        shown = [
            match.start() for match in re.finditer(b"(?:%s)|(.)" % _NOISE, tail, re.DOTALL) if match[1] is not None
        ]
        length, name = self._opening(bytes(tail[at] for at in shown))
        return (len(tail) - shown[-length], name) if length else (0, "")

    def _opening(self, tail: bytes) -> tuple[int, str]:
        longest, of = 0, ""
        for form, name in self._forms:
            at = tail.find(form[:1], max(0, len(tail) - len(form) + 1))
            while at >= 0 and not form.startswith(tail[at:]):
                at = tail.find(form[:1], at + 1)
            if at >= 0 and len(tail) - at > longest:
                longest, of = len(tail) - at, name
        return longest, of


class Stream:
    """Redacts what comes in pieces: a piece that may end in the middle of a secret is held back there, and no more."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""
        self.found: set[str] = set()
        """The names of the secrets that came by."""

    def feed(self, data: bytes) -> bytes:
        """Takes a piece; gives what is safe to show."""
        if not self._redactor:
            return data
        data = self._redactor.data(self._held + data, self.found)
        safe = len(data) - self._redactor.opening(data)[0]
        self._held = data[safe:]
        return data[:safe]

    def close(self) -> bytes:
        """What was held back. The beginning of a secret that was cut off is none the less one, if it tells enough."""
        held, self._held = self._held, b""
        if len(held) < SHORTEST:
            return held
        name = self._redactor.opening(held)[1]
        self.found.add(name)
        return _mark(name)


def secrets_in_file(path: str, redactor: Redactor) -> set[str]:
    """The names of the secrets that a file holds; none are in what is no regular file, or is a link.

    Raises:
        OSError: it could not be read.
    """
    looking = Stream(redactor)
    if redactor:
        for _ in _redacted(path, looking):
            pass
    return looking.found


def redact_file(path: str, redactor: Redactor) -> set[str]:
    """Rewrites a file that holds secrets without them; gives the names of those that it held.

    It is another file in its place, so that what the old one is linked to elsewhere stays as it is.

    Raises:
        OSError: it could not be read or written.
    """
    found = secrets_in_file(path, redactor)
    if found:
        _rewrite(path, _redacted(path, Stream(redactor)))
    return found


def _redacted(path: str, stream: Stream) -> Iterator[bytes]:
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISREG(os.fstat(file).st_mode):
            while data := os.read(file, _CHUNK):
                yield stream.feed(data)
            yield stream.close()
    finally:
        os.close(file)


def _rewrite(path: str, pieces: Iterable[bytes]) -> None:
    mode = stat.S_IMODE(os.lstat(path).st_mode)
    # A name of its own, short where that of the file is as long as any may be, which nobody can have taken before.
    beside = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}")  # noqa: PTH118, PTH120 - no pathlib here
    target = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for piece in pieces:
            while piece:
                piece = piece[os.write(target, piece) :]  # noqa: PLW2901 - what is left of it
        os.fchmod(target, mode)
        os.replace(beside, path)  # noqa: PTH105 - the keeper cannot afford pathlib
    except OSError:
        os.unlink(beside)  # noqa: PTH108
        raise
    finally:
        os.close(target)


def _mark(name: str) -> bytes:
    return f"«{name}»".encode("utf-8", "surrogateescape")


def _forms(value: bytes) -> Iterator[bytes]:
    """A value as programs print it: as it is, in JSON, in JSON within JSON, in an address, in base64."""
    for plain in {value, value.strip()}:
        if len(plain) < SHORTEST:
            continue
        yield plain
        text = plain.decode("utf-8", "replace")
        for ascii_only in (True, False):
            once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            yield once.encode()
            yield json.dumps(once, ensure_ascii=ascii_only)[1:-1].encode()
        yield b"".join(b"%c" % byte if byte in _UNQUOTED else b"%%%02X" % byte for byte in plain)
        for shift, unsure in ((0, 0), (1, 2), (2, 3)):  # it may begin at any byte of a group of three
            encoded = binascii.b2a_base64(bytes(shift) + plain, newline=False)
            sure = encoded[unsure : len(encoded) - (0, 3, 2)[(shift + len(plain)) % 3]]
            yield sure
            yield sure.translate(bytes.maketrans(b"+/", b"-_"))
