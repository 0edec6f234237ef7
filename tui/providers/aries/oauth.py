"""Signing in: the authorization code flow with PKCE, a browser and a callback on this machine (section 13)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from tui.errors import CredentialError
from tui.market.text import clean
from tui.providers.aries.tokens import TokenKeeper

SCOPES: Final = (
    "market:information", "market:supplemental", "account:information", "order:information", "position:information",
    "options:information",
)  # fmt: skip
"""What a watching tool needs; never the right to trade."""
WAIT_S: Final = 300.0
REQUEST_S: Final = 5.0
MOST_HEAD: Final = 16 * 1024
_DONE: Final = "Signed in. You can close this page and go back to tickdeck."
_WRONG: Final = "This address does not belong to the sign-in that is waiting."
_DENIED: Final = "The sign-in was not approved. You can close this page."


@dataclass(frozen=True, slots=True)
class SignIn:
    """One attempt at signing in.

    Attributes:
        authorize_url: The provider's login page.
        client_id: Ours, as registered.
        redirect_uri: Where the browser comes back to; must match a registered one exactly.
        verifier: The secret half of PKCE.
        state: Tells our callback from anybody else's.
    """

    authorize_url: str
    client_id: str
    redirect_uri: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def url(self) -> str:
        """The address to open in the browser."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(SCOPES),
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{self.authorize_url}?{urlencode(query)}"

    def code(self, landed: str) -> str | None:
        """The code in the address that the browser landed on; None when it is not of this attempt.

        Raises:
            CredentialError: the user, or the provider, said no.
        """
        try:
            query = parse_qs(urlsplit(landed.strip()).query)
        except ValueError:
            return None
        state = query.get("state", [""])[0]
        if not hmac.compare_digest(state.encode("utf-8", "replace"), self.state.encode()):
            return None
        if error := query.get("error_description", query.get("error")):
            raise CredentialError(f"Aries did not sign you in: {clean(error[0], 200)}")
        return query.get("code", [""])[0] or None


class Callback:
    """Listens on the redirect address until the browser comes. `async with` opens and closes it.

    Args:
        sign_in: Whose callback it is.

    Attributes:
        code: Done with the code; failed with CredentialError when the sign-in was denied.
    """

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._server: asyncio.Server | None = None
        self.code: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __aenter__(self) -> Self:
        """Listen. Raises OSError when the port is taken."""
        parts = urlsplit(self._sign_in.redirect_uri)
        self._server = await asyncio.start_server(self._serve, parts.hostname, parts.port or 80, limit=MOST_HEAD)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.code.cancel()
        if self.code.done() and not self.code.cancelled():
            self.code.exception()  # seen: a denial nobody awaits any more is no warning

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head.split(b"\r\n", 1)[0].decode("latin-1")))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # not the browser we wait for
        finally:
            writer.close()

    def _answer(self, request: str) -> bytes:
        """Take the code out of `GET /callback?code=…&state=… HTTP/1.1`; anything else changes nothing."""
        words = request.split(" ")
        target = words[1] if len(words) == 3 and words[0] == "GET" else ""
        if target.partition("?")[0] != (urlsplit(self._sign_in.redirect_uri).path or "/"):
            return _page("404 Not Found", _WRONG)
        try:
            code = self._sign_in.code(target)
        except CredentialError as error:
            if not self.code.done():
                self.code.set_exception(error)
            return _page("200 OK", _DENIED)
        if code is None:
            return _page("400 Bad Request", _WRONG)
        if not self.code.done():
            self.code.set_result(code)
        return _page("200 OK", _DONE)


async def obtain_code(
    attempt: SignIn,
    open_browser: Callable[[str], object],
    prompt: Callable[[str], Awaitable[str]],
    *,
    wait_s: float = WAIT_S,
) -> str:
    """Send the user to the browser and wait for the callback, or for the pasted address, whichever comes first.

    Args:
        attempt: What to sign in to.
        open_browser: Shows an address in the browser; what it returns does not matter.
        prompt: Asks the user for a line of text; cancelled when the browser was first.
        wait_s: Longest wait.

    Raises:
        CredentialError: denied, or nobody came in time.
    """
    try:
        async with asyncio.timeout(wait_s), AsyncExitStack() as stack:
            callback = None
            with suppress(OSError):  # the port is taken: pasting still works
                callback = await stack.enter_async_context(Callback(attempt))
            pasted = asyncio.ensure_future(_pasted(attempt, prompt))  # not before the callback can be reached
            stack.push_async_callback(_settle, pasted)
            open_browser(attempt.url)
            ways = {pasted} if callback is None else {pasted, callback.code}
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
    except TimeoutError:
        raise CredentialError("nobody signed in at Aries in time", remedy="Try again.") from None


async def _settle(pasted: asyncio.Future[str]) -> None:
    """Stop asking; what was pasted no longer matters."""
    pasted.cancel()
    await asyncio.wait({pasted})
    if not pasted.cancelled():
        pasted.exception()  # seen


async def exchange_code(keeper: TokenKeeper, attempt: SignIn, code: str, client_secret: str | None) -> None:
    """Trade the code, which serves once, for tokens, and store them.

    Public clients prove themselves by the verifier; a client with a secret sends that too.

    Raises:
        RestError: the exchange failed.
    """
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": attempt.client_id,
        "redirect_uri": attempt.redirect_uri,
        "code_verifier": attempt.verifier,
    }
    if client_secret:
        body["client_secret"] = client_secret
    await keeper.exchange(body)


async def _pasted(attempt: SignIn, prompt: Callable[[str], Awaitable[str]]) -> str:
    question = f"If no browser opens, go to\n{attempt.url}\nthen paste the address it ends on: "
    while True:
        try:
            landed = await prompt(question)
        except EOFError:  # nobody can type here: the browser is the only way
            landed = await asyncio.get_running_loop().create_future()
        if code := attempt.code(landed):
            return code
        question = "That address does not belong to this sign-in. Paste the whole address: "


def _page(status: str, text: str) -> bytes:
    body = f"<!doctype html><meta charset=utf-8><title>tickdeck</title><p>{text}".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
