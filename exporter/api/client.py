"""One request, for a page or the balance: signed, paced, timed, retried where that can help."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, Self, TypeVar

import aiohttp
import msgspec
import stamina
from aiolimiter import AsyncLimiter

from exporter.api import balance, errors, signing
from exporter.api.failures import cause, hide, label
from exporter.api.http import moment, read_body, retry_after
from exporter.api.proxy import proxy_for
from exporter.api.records import Locale, Page, read_code, read_page
from exporter.tasks.task import Money

PATH: Final = "/voice/group/call/query"
AI_AGENT_TASK: Final = 3
LARGEST_PAGE: Final = 100
LARGEST_BODY: Final = 32 * 2**20
ATTEMPTS: Final = 4
LONGEST_PAUSE: Final = 300.0
"""Seconds: a Retry-After beyond this is not believed, so that no answer ends the monitoring."""

_SHORTEST_SLEEP: Final = 0.001


class Observer(Protocol):
    """What the client tells of each request, for the exporter's own metrics."""

    def request(self, code: str, seconds: float) -> None:
        """Take note of a request answered with a code (or none, and why) after so long."""

    def clock_skew(self, seconds: float) -> None:
        """Take note of the server's Date minus our clock."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request; never shown."""

    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return "Credentials(<secret>)"

    @property
    def secrets(self) -> tuple[str, str]:
        """What no error may show."""
        return self.api_key, self.api_secret


@dataclass(frozen=True, slots=True)
class Query:
    """One page of the tasks created between two local times, both included."""

    begin: str
    end: str
    page: int = 1
    size: int = LARGEST_PAGE
    statuses: Sequence[int] = ()
    app_id: int | None = None
    search: str = ""

    def body(self) -> dict[str, object]:
        """Return the request's body, with the optional parameters only where they say something."""
        params: dict[str, object] = {
            "strTime": self.begin,
            "endTime": self.end,
            "taskType": AI_AGENT_TASK,
        }
        if self.statuses:
            params["statusList"] = list(self.statuses)
        if self.app_id is not None:
            params["idxAppId"] = self.app_id
        if self.search:
            params["searchCondition"] = self.search
        return {"current": self.page, "size": self.size, "params": params}


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Request(Generic[_T]):
    """What is asked, and how what is answered is read."""

    method: str
    path: str
    query: Query | None
    """What the body says; None: there is no body."""
    read: Callable[[bytes], _T]
    read_code: Callable[[bytes], int | str | None]
    """Of an answer with an HTTP status other than 200."""
    for_polls: bool = True
    """Whether a poll that ends meanwhile may have failed by this request."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard one account may be asked. Times in seconds."""

    timeout: float
    concurrency: int
    requests_per_second: float


class Client:
    """One account's way to the API: a session with keep-alive, and its limits.

    ``credentials`` is asked at each request, so that a secret that rotates is picked up;
    ``clock`` is Unix time, ``monotonic`` measures durations.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Callable[[], Credentials],
        locale: Locale,
        limits: Limits,
        observer: Observer,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.locale = locale
        self.limits = limits
        self.last_error: errors.ApiError | None = None
        """The error of the last request for a page since this was last set to None; retried ones
        included."""
        self.clock_correction = 0.0
        """Seconds added to our clock; 0 until the API says that a timestamp has expired."""
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self._observer = observer
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._in_flight = asyncio.Semaphore(limits.concurrency)
        # One request at a time through the limiter: no burst that a strict server would refuse.
        self._pace = AsyncLimiter(1, 1 / limits.requests_per_second)
        self._paused_until = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self.limits.concurrency, keepalive_timeout=75),
            timeout=aiohttp.ClientTimeout(total=self.limits.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Not trust_env: it asks the environment anew at each request, in a thread.
            proxy=proxy_for(self._base_url),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def page(self, query: Query) -> Page:
        """Return one page; raise ApiError after such retries as can help."""
        request = _Request(
            "POST",
            PATH,
            query,
            lambda body: read_page(body, self.locale),
            read_code,
        )
        async for attempt in stamina.retry_context(
            on=self._wait_before_retry,
            attempts=ATTEMPTS,
            timeout=None,  # the poll's deadline ends it
            wait_initial=0.25,
            wait_max=5.0,
            wait_jitter=1.0,
        ):
            with attempt:
                return await self._corrected(request)
        raise AssertionError  # the last attempt raises its own error

    async def balance(self) -> Mapping[str, Money]:
        """Return what is left, by kind; ApiError, without a retry: it is asked again soon."""
        request = _Request(
            "GET",
            balance.PATH,
            None,
            lambda body: balance.read_balance(body, self.locale.currency),
            balance.read_status,
            for_polls=False,
        )
        return await self._corrected(request)

    async def _corrected(self, request: _Request[_T]) -> _T:
        """Ask; where the timestamp has expired, correct the clock and ask once more."""
        before = self.clock_correction
        skew: list[float] = []
        try:
            return await self._ask(request, skew)
        except errors.ClockSkewError:
            if not skew:
                raise
            # Without an offset that explains the refusal, asking again would change nothing.
            self.clock_correction = skew[-1]
            if abs(self.clock_correction - before) < 1:
                raise
        try:
            return await self._ask(request, skew)
        except errors.ClockSkewError:
            # A Date that did not help is not to be trusted with what is asked for either.
            self.clock_correction = before
            raise

    async def _ask(self, request: _Request[_T], skew: list[float]) -> _T:
        async with self._in_flight:
            await self._wait_for_turn()
            begun = self._monotonic()
            code = "internal"
            try:
                answer = await self._exchange(request, skew)
                code = "0"
            except errors.ApiError as error:
                hide(error, self._credentials().secrets)
                if request.for_polls:
                    self.last_error = error
                code = label(error)
                raise
            finally:
                if code != "internal":  # a cancelled request has no outcome
                    self._observer.request(code, self._monotonic() - begun)
            return answer

    async def _exchange(self, request: _Request[_T], skew: list[float]) -> _T:
        assert self._session is not None  # noqa: S101  # within `async with` only
        now = self._clock()
        credentials = self._credentials()
        headers = signing.headers(
            credentials.api_key, credentials.api_secret, now + self.clock_correction
        )
        try:
            async with self._session.request(
                request.method,
                self._base_url + request.path,
                data=request.query and msgspec.json.encode(request.query.body()),
                headers=headers,
                allow_redirects=False,  # a signed request goes where the config says, only there
            ) as response:
                body = await read_body(response, LARGEST_BODY)
                self._note_skew(response, now, skew)
                return self._read(request, response, body)
        except TimeoutError:
            raise errors.RequestTimeoutError(
                f"no answer within {self.limits.timeout:g} s"
            ) from None
        except (aiohttp.ClientPayloadError, aiohttp.ContentTypeError) as error:
            raise errors.ConnectionFailedError(f"the answer broke off: {cause(error)}") from None
        except aiohttp.ClientResponseError as error:
            raise errors.InvalidResponseError(f"not an HTTP answer: {cause(error)}") from None
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise errors.ConnectionFailedError(cause(error)) from None

    def _read(self, request: _Request[_T], response: aiohttp.ClientResponse, body: bytes) -> _T:
        if response.status == 200:  # noqa: PLR2004
            return request.read(body)
        if response.status == 429:  # noqa: PLR2004
            wait = retry_after(
                response.headers.get("Retry-After"), self._clock(), longest=LONGEST_PAUSE
            )
            if wait:
                self._paused_until = max(self._paused_until, self._monotonic() + wait)
            raise errors.RateLimitedError("the API answers HTTP 429", retry_after=wait)
        # Gateways wrap refusals in a status of their own; the code, if one is there, says more.
        code = request.read_code(body)
        if isinstance(code, int) and code in errors.KNOWN_CODES:
            raise errors.of_code(code, f"HTTP {response.status}")
        kind = errors.HTTPStatusError
        if response.status in {401, 403}:
            kind = errors.RefusedStatusError
        elif response.status >= 500:  # noqa: PLR2004
            kind = errors.ServerStatusError
        raise kind(f"the API answers HTTP {response.status}", status=response.status)

    async def _wait_for_turn(self) -> None:
        """Hold every request of the account while the server has asked to wait."""
        await self._pace.acquire()
        while (pause := self._paused_until - self._monotonic()) > 0:
            self.last_error = errors.RateLimitedError(
                f"the API asked to wait; requests go on in {pause:.0f} s"
            )
            await self._sleep(max(pause, _SHORTEST_SLEEP))
            # Who waited takes turns again: together they would be a burst.
            await self._pace.acquire()

    def _wait_before_retry(self, error: Exception) -> bool | float:
        if not isinstance(error, errors.ApiError) or not error.passing:
            return False
        return True if error.retry_after is None else error.retry_after

    def _note_skew(
        self, response: aiohttp.ClientResponse, asked_at: float, skew: list[float]
    ) -> None:
        """Compare the server's Date, whole seconds, with the middle of our request."""
        date = moment(response.headers.get("Date", ""))
        if date is None:
            return
        ours = (asked_at + self._clock()) / 2
        # Date has lost its fraction: half a second is its expectation.
        skew.append(date + 0.5 - ours)
        self._observer.clock_skew(skew[-1])
