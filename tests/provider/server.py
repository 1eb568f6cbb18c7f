"""The server: routes, cuts, pauses, and the account of what it told."""

import itertools
import json
import math
import socket
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import ClassVar

from tests.provider import chat, gemini, messages, responses
from tests.provider.protocol import Json, Speaks
from tests.provider.script import Answer, Fail, Garble, Request, Session, Tokens

PROTOCOLS: Mapping[str, Speaks | ModuleType] = {
    "chat/completions": chat,
    "responses": responses,
    "messages": messages,
    "gemini": gemini,
}
"""By how their paths end; Gemini's ends with the model and what is asked of it."""
_MOST = 64 * 1024 * 1024
"""Bytes of a request: more is not an agent's."""


@dataclass(slots=True)
class Served:
    """One request and what became of it."""

    request: Request
    answer: Answer
    told: Tokens
    """What the agent was told that it used: nothing where the answer did not come through."""
    at: float
    """When it came, in seconds since the epoch."""


class FakeProvider:
    """A provider on the loopback; it serves any number of agents at once.

    Args:
        sessions: what is answered, by the first part of the path.
    """

    def __init__(self, sessions: Mapping[str, Session]) -> None:
        self.sessions = sessions
        self.closing = threading.Event()
        self.strange: list[str] = []
        """What was asked that it does not know."""
        self._served: list[Served] = []
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._names = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="fake provider")

    def __enter__(self) -> "FakeProvider":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, session: str) -> str:
        """The base URL of a session, without the `/v1` that some agents want at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{session}"

    def served(self, subject: str | None = None, session: str | None = None) -> list[Served]:
        """What was served so far, in order; of one subject or session, if named."""
        with self._lock:
            return [
                one
                for one in self._served
                if subject in (None, one.request.subject) and session in (None, one.request.session)
            ]

    def told(self, subject: str | None = None, session: str | None = None) -> Tokens:
        """The sum of what agents were told that they used."""
        return sum((one.told for one in self.served(subject, session)), Tokens())

    def name(self) -> str:
        """A name that no other request has."""
        return str(next(self._names))

    def number(self, session: str, subject: str) -> int:
        """Counts one more request on a subject."""
        with self._lock:
            self._asked[session, subject] += 1
            return self._asked[session, subject]

    def begin(self, request: Request, answer: Answer) -> Served:
        """Puts a request on the account, before the agent can know of the answer."""
        served = Served(request, answer, Tokens(), time.time())
        with self._lock:
            self._served.append(served)
        return served


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    provider: FakeProvider

    def handle_error(self, request: object, client_address: object) -> None:
        """Agents are ended in the middle of things: that is no news. What breaks here is."""
        if not isinstance(sys.exception(), OSError | _CutError):
            self.provider.strange.append(traceback.format_exc())


class _CutError(Exception):
    """The connection is gone."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    _NOTHING: ClassVar[Json] = {"error": {"message": "not found", "type": "not_found_error"}}

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_HEAD(self) -> None:
        """Agents look whether anybody is there."""
        self._whole(200, {})

    def do_GET(self) -> None:
        """Agents ask which models there are."""
        known = self.path.partition("?")[0].endswith("/models")
        self._whole(200, {"object": "list", "data": [], "models": []}) if known else self._unknown()

    def do_POST(self) -> None:
        """A model is asked."""
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(min(length, _MOST))
        session, _, rest = self.path.partition("?")[0].lstrip("/").partition("/")
        if rest.endswith("/count_tokens"):
            self._whole(200, {"input_tokens": 1000})
            return
        model, colon, method = rest.rpartition("/")[2].partition(":")
        known = "gemini" if colon else next((name for name in PROTOCOLS if rest.endswith(name)), "")
        try:
            script = self.server.provider.sessions[session]
            body = json.loads(raw)
            protocol = PROTOCOLS[known]
            if colon:
                body |= {"model": model, "stream": method.startswith("stream")}
            asked = protocol.asked(body)
        except (KeyError, ValueError, TypeError):
            self._unknown()
            return
        provider = self.server.provider
        subject = script.subject(asked.text)
        shown = (
            self.headers.get("x-api-key")
            or self.headers.get("x-goog-api-key")
            or self.headers.get("authorization", "").removeprefix("Bearer ")
        )
        request = Request(
            session,
            subject,
            provider.number(session, subject),
            asked.step,
            known,
            asked.model,
            shown,
            asked.stream,
            asked.text,
        )
        answer = script.script(subject)(request)
        with suppress(_CutError):
            self._answer(protocol, body, provider.begin(request, answer))

    def _unknown(self) -> None:
        self.server.provider.strange.append(f"{self.command} {self.path}")
        self._whole(404, self._NOTHING)

    def _answer(self, protocol: Speaks | ModuleType, body: Json, served: Served) -> None:
        request, answer = served.request, served.answer
        self._pause(answer.pause)
        if answer.cut == "before":
            self._cut()
        name = self.server.provider.name()
        match answer.act:
            case Fail(in_stream=True) as fail if request.stream:
                self._stream(protocol.late_failure(body, fail, name), served)
            case Fail() as fail:
                error = protocol.failure(fail)
                self._whole(error.status, error.body, error.headers)
            case Garble() if request.stream:
                self._stream([b'data: {"type": "response.created", "choices": [{"delta": {"con\n\n'], served)
            case Garble():
                self._send(200, b'{"id": "1", "choices": [{"message": {"con', {})
            case said if request.stream:
                self._stream(protocol.events(body, said, answer, name), served)
            case said:
                whole = json.dumps(protocol.whole(body, said, answer, name)).encode()
                if not answer.cut:
                    served.told = answer.tokens
                self._send(200, whole, {}, cut=answer.cut == "middle")

    def _whole(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), headers or {})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], *, cut: bool = False) -> None:
        try:
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                "content-length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.wfile.flush()
        except OSError as error:
            raise _CutError from error
        if cut:
            self._cut()

    def _stream(self, events: Iterable[bytes], served: Served) -> None:
        """Sends the events; the connection ends with them. The tokens are in one of the last two."""
        self.close_connection = True
        answer = served.answer
        parts = list(events)
        telling = math.inf if answer.cut or isinstance(answer.act, Fail | Garble) else len(parts) - 2
        if answer.cut == "middle":
            parts = parts[: len(parts) // 2]
        try:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            for number, part in enumerate(parts):
                if number >= telling:
                    served.told = answer.tokens
                self.wfile.write(part)
                self.wfile.flush()
                self._pause(answer.pause)
        except OSError as error:
            raise _CutError from error
        if answer.cut == "middle":
            self._cut()

    def _pause(self, seconds: float) -> None:
        """Waits; when the provider closes, whoever waits is cut off."""
        if seconds and self.server.provider.closing.wait(seconds):
            self._cut()

    def _cut(self) -> None:
        """Ends the connection without a word, as a broken line does."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            raise _CutError from error
        raise _CutError
