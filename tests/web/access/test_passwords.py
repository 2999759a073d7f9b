"""Passwords: what is checked how often, and what a flood can and cannot do."""

import asyncio
import threading
from collections.abc import Iterator

import bcrypt
import pytest

from exporter.config import Secret
from exporter.web.access.passwords import (
    MOST_REFUSED,
    MOST_WAITING,
    MOST_WAITING_OF_ONE,
    Passwords,
    TooManyChecksError,
)


def hashed(password: bytes) -> Secret:
    return Secret(bcrypt.hashpw(password, bcrypt.gensalt(4)).decode())


USERS = {b"alice": hashed(b"apple"), b"bob": hashed(b"berry")}


class Checks:
    """bcrypt, counted; while `held`, every check waits."""

    def __init__(self) -> None:
        self.made: list[tuple[bytes, bytes]] = []
        self.held = threading.Event()
        self.held.set()

    def __call__(self, password: bytes, against: bytes) -> bool:
        assert threading.current_thread() is not threading.main_thread()
        assert self.held.wait(10)
        self.made.append((password, against))
        return bcrypt.checkpw(password, against)


@pytest.fixture
def checks() -> Checks:
    return Checks()


@pytest.fixture
def passwords(checks: Checks) -> Iterator[Passwords]:
    passwords = Passwords(checks)
    yield passwords
    checks.held.set()
    passwords.close()


async def test_the_right_password_is_checked_once(passwords: Passwords, checks: Checks) -> None:
    for _ in range(5):
        assert await passwords.accepts(USERS, b"alice", b"apple", "one")
        assert await passwords.accepts(USERS, b"bob", b"berry", "two")
    assert len(checks.made) == 2


async def test_a_wrong_one_is_refused_and_remembered(passwords: Passwords, checks: Checks) -> None:
    for _ in range(5):
        assert not await passwords.accepts(USERS, b"alice", b"berry", "one")
    assert len(checks.made) == 1
    assert await passwords.accepts(USERS, b"alice", b"apple", "one")


async def test_an_unknown_user_costs_what_a_known_one_does(
    passwords: Passwords, checks: Checks
) -> None:
    for name in (b"alice", b"nobody", b"", b"\xff\x00", b"Alice"):
        before = len(checks.made)
        assert not await passwords.accepts(USERS, name, b"wrong", "one")
        assert not await passwords.accepts(USERS, name, b"wrong", "one")
        assert len(checks.made) == before + 1
        # Against a hash of the very costs that known users have.
        assert checks.made[-1][1].decode() in {each.reveal() for each in USERS.values()}


async def test_an_unknown_user_is_refused_with_anybodys_password(passwords: Passwords) -> None:
    for name in (b"nobody", b"carol", b"dave", b"eve"):
        for password in (b"apple", b"berry"):
            for _ in range(2):
                assert not await passwords.accepts(USERS, name, password, "one")


async def test_the_same_question_is_asked_once_at_a_time(
    passwords: Passwords, checks: Checks
) -> None:
    checks.held.clear()
    asked = [
        asyncio.ensure_future(passwords.accepts(USERS, b"alice", b"apple", "one"))
        for _ in range(50)
    ]
    await asyncio.sleep(0)
    # One who loses patience takes nobody's answer away.
    asked[0].cancel()
    checks.held.set()
    assert all(await asyncio.gather(*asked[1:]))
    assert len(checks.made) == 1


async def test_a_flood_displaces_nobody(passwords: Passwords, checks: Checks) -> None:
    assert await passwords.accepts(USERS, b"alice", b"apple", "scraper")
    for number in range(MOST_REFUSED + 50):
        assert not await passwords.accepts(USERS, b"alice", str(number).encode(), "attacker")
    assert len(passwords._refused) == MOST_REFUSED
    before = len(checks.made)
    assert await passwords.accepts(USERS, b"alice", b"apple", "scraper")
    assert len(checks.made) == before


async def test_a_flood_from_one_address_leaves_room_for_others(
    passwords: Passwords, checks: Checks
) -> None:
    checks.held.clear()
    flood = [
        asyncio.ensure_future(passwords.accepts(USERS, b"alice", str(n).encode(), "attacker"))
        for n in range(500)
    ]
    await asyncio.sleep(0)
    scrape = asyncio.ensure_future(passwords.accepts(USERS, b"bob", b"berry", "scraper"))
    await asyncio.sleep(0)
    checks.held.set()
    assert await scrape
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert answers.count(False) == MOST_WAITING_OF_ONE
    assert sum(isinstance(each, TooManyChecksError) for each in answers) == 500 - answers.count(
        False
    )
    # What was let go may be asked again.
    assert not await passwords.accepts(USERS, b"alice", b"again", "attacker")
    assert passwords._waiting == {}
    assert passwords._running == {}


async def test_a_flood_from_everywhere_is_bounded_too(passwords: Passwords, checks: Checks) -> None:
    assert await passwords.accepts(USERS, b"alice", b"apple", "scraper")
    checks.held.clear()
    flood = [
        asyncio.ensure_future(passwords.accepts(USERS, b"bob", str(n).encode(), f"address {n}"))
        for n in range(500)
    ]
    await asyncio.sleep(0)
    # Who is known already waits for none of them.
    assert await passwords.accepts(USERS, b"alice", b"apple", "scraper")
    checks.held.set()
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert answers.count(False) == MOST_WAITING


async def test_a_changed_password_counts_at_once(passwords: Passwords) -> None:
    assert await passwords.accepts(USERS, b"alice", b"apple", "one")
    changed = {**USERS, b"alice": hashed(b"avocado")}
    assert not await passwords.accepts(changed, b"alice", b"apple", "one")
    assert await passwords.accepts(changed, b"alice", b"avocado", "one")
    removed = {b"bob": USERS[b"bob"]}
    assert not await passwords.accepts(removed, b"alice", b"avocado", "one")
    assert await passwords.accepts(removed, b"bob", b"berry", "one")
    # Nothing is kept of users who are gone.
    assert passwords._accepted.keys() == {b"bob"}
    assert await passwords.accepts(USERS, b"alice", b"apple", "one")


async def test_passwords_are_nowhere_in_memory(passwords: Passwords) -> None:
    assert await passwords.accepts(USERS, b"alice", b"apple", "one")
    assert not await passwords.accepts(USERS, b"alice", b"banana", "one")
    kept = repr(vars(passwords))
    assert "apple" not in kept
    assert "banana" not in kept


async def test_what_bcrypt_does_not_look_at_does_not_matter(passwords: Passwords) -> None:
    long = b"x" * 72
    users = {b"alice": hashed(long)}
    assert await passwords.accepts(users, b"alice", long + b"whatever", "one")
    assert not await passwords.accepts(users, b"alice", long[:71], "one")
    assert not await passwords.accepts(users, b"alice", b"", "one")
    assert not await passwords.accepts(users, b"alice", b"\x00", "one")
