"""Who may ask a served run, and which version of it answers.

Knows no web framework but by what it is handed.
"""

import base64
import binascii
import hmac
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lstmcast.errors import LstmcastError, UsageError
from lstmcast.forecasting.predictor import Predictor
from lstmcast.runs.directory import MANIFEST_FILE

MIN_TOKEN_CHARS = 16
"""Characters of a token that cannot be guessed by trying."""
MAKE_TOKEN_HINT = (
    "make one: head -c 32 /dev/urandom | base64 > token, and give --token-file token"
)


def read_token(file: str) -> str:
    """Return the token in the first line of a file; raises UsageError where it is none."""
    try:
        text = Path(file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        message = f"--token-file {file!r} cannot be read: {reason}"
        raise UsageError(message, MAKE_TOKEN_HINT) from None
    first, *_ = [*text.splitlines(), ""]
    token = first.strip()
    if len(token) < MIN_TOKEN_CHARS or not token.isprintable():
        raise UsageError(
            f"--token-file {file!r}: its first line has fewer than"
            f" {MIN_TOKEN_CHARS} characters",
            MAKE_TOKEN_HINT,
        )
    return token


def make_token_check(
    token: str, make_response: Callable[..., Any]
) -> Callable[[Any, Any], Awaitable[Any]]:
    """Return a middleware that answers only requests that show the token.

    make_response: the class of the framework's answers. The token is shown as
    `Authorization: Bearer TOKEN`, or as the password of any user, as browsers ask for it.
    """

    async def check(request: Any, answer: Callable[[Any], Awaitable[Any]]) -> Any:
        if has_token(request.headers.get("authorization", ""), token):
            return await answer(request)
        content = {
            "code": 2,
            "kind": "usage",
            "message": "the request shows no valid token",
            "hint": "send it as Authorization: Bearer TOKEN",
        }
        headers = {"WWW-Authenticate": 'Basic realm="lstmcast"'}
        return make_response(
            json.dumps(content), 401, headers, media_type="application/json"
        )

    return check


def has_token(header: str, token: str) -> bool:
    """Whether the header of a request holds the token."""
    scheme, _, value = header.partition(" ")
    shown = value.strip()
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(shown, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return False
        shown = decoded.partition(":")[2]
    elif scheme.lower() != "bearer":
        return False
    # In a time that does not tell how much of it was right.
    return hmac.compare_digest(shown.encode(), token.encode())


class NewerVersions:
    """Finds out whether the folder of a run holds another version, and loads that."""

    def __init__(self, run: str, say: Callable[[str], None]) -> None:
        self.run = run
        self.say = say
        self._manifest = Path(run, MANIFEST_FILE)
        self._state = self._read_state()
        self._lock = threading.Lock()

    def find(self) -> Predictor | None:
        """Return the run anew where it was replaced, else None.

        A version that cannot be loaded is reported once, and the one before goes on.
        """
        state = self._read_state()
        # A run that is being replaced is gone for a moment. Others go on while one loads.
        if state in (None, self._state) or not self._lock.acquire(blocking=False):
            return None
        try:
            self._state = state
            newer = Predictor.load(self.run)
        except (LstmcastError, OSError) as error:
            self.say(f"the new version of {self.run!r} cannot be used: {error}")
            return None
        finally:
            self._lock.release()
        [end] = newer.axis.texts(newer.cutoff.max(keepdims=True))
        self.say(f"took the new version of {self.run!r}, trained until {end}")
        return newer

    def _read_state(self) -> tuple[int, int, int] | None:
        """What differs between two manifests: place on the disk, time and size; None for none."""
        try:
            stat = self._manifest.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size
