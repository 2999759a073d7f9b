"""A secret file that rotates is followed, whatever way it is replaced."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from exporter import credentials as module
from exporter import logs
from exporter.config import Config, Secret, parse
from exporter.credentials import AccountCredentials
from exporter.simulator import ApiRules, Fault, FaultKind, Simulator
from tests.poller.following import Run, following
from tests.virtual_time import VirtualTime

KEY, OLD, NEW = "demo-key", "demo-secret", "renewed-secret"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setattr(logs, "_masker", logs._Masker())
    logs.mask(OLD)  # as the configuration is announced
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield stream
    logs.configure(stream=io.StringIO())


def config_of(path: Path, url: str = "http://127.0.0.1:1", keys: str = "") -> Config:
    text = (
        f"accounts: [{{name: production, api_key: {KEY}, api_secret_file: {path}, "
        f"base_url: '{url}', timezone: UTC{keys}}}]"
    )
    return parse(text, {})


@asynccontextmanager
async def polled(time: VirtualTime, path: Path, keys: str = "") -> AsyncIterator[Run]:
    def config(simulator: Simulator) -> Config:
        return config_of(path, simulator.url, keys)

    async with following(time, config=config) as run:
        yield run


def accept(run: Run, secret: str) -> None:
    run.simulator.api.rules = ApiRules(credentials={KEY: secret})


def in_place(path: Path, secret: str) -> None:
    path.write_text(secret)


def renamed(path: Path, secret: str) -> None:
    other = path.with_suffix(".new")
    other.write_text(f"{secret}\n")
    other.replace(path)


def linked(path: Path, secret: str) -> None:
    """As Kubernetes does it: the file is a link into a folder that is a link itself."""
    folder = path.parent / f"..{secret}"
    folder.mkdir()
    (folder / path.name).write_text(secret)
    data, new = path.parent / "..data", path.parent / "..data_tmp"
    new.symlink_to(folder.name)
    new.replace(data)
    if not path.is_symlink():
        path.unlink(missing_ok=True)
        path.symlink_to(Path("..data") / path.name)


@pytest.mark.parametrize("put", [in_place, renamed, linked])
async def test_a_secret_that_rotates_is_used_by_the_next_poll(
    time: VirtualTime, tmp_path: Path, log: io.StringIO, put: object
) -> None:
    assert callable(put)
    path = tmp_path / "secret"
    put(path, OLD)
    async with polled(time, path) as run:
        assert run.value("itnio_up") == 1
        put(path, NEW)
        accept(run, NEW)
        await run.until(61)
        assert run.value("itnio_up") == 1
        assert run.failures() == {}
        # And once more, with what was put there a while ago.
        put(path, "third-secret")
        accept(run, "third-secret")
        await run.until(121)
        assert run.value("itnio_up") == 1
    text = log.getvalue()
    assert text.count("the secret has changed in its file") == 2
    assert NEW not in text
    assert "third-secret" not in text


async def test_the_new_secret_is_masked_before_the_api_can_echo_it(
    time: VirtualTime, tmp_path: Path, log: io.StringIO
) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    async with polled(time, path, ", balance: true") as run:
        renamed(path, NEW)
        echo = f"{OLD} or {NEW} is wrong"
        run.simulator.faults.add(Fault(kind=FaultKind.API_CODE, amount=-18, text=echo))
        await run.until(130)
        snapshot = run.accounts.snapshots["production"]
        shown = f"{snapshot.health.failure} {snapshot.balance_failure} {log.getvalue()}"
        assert "is wrong" in shown
        assert OLD not in shown
        assert NEW not in shown


@pytest.mark.parametrize("content", [None, "", "two\nlines"])
async def test_a_file_that_cannot_be_used_keeps_the_last_good_secret(
    time: VirtualTime, tmp_path: Path, log: io.StringIO, content: str | None
) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    async with polled(time, path) as run:
        path.unlink()
        if content is not None:
            path.write_text(content)
        await run.until(200)
        assert run.value("itnio_up") == 1
        assert run.failures() == {}
        told = [line for line in log.getvalue().splitlines() if "cannot be used" in line]
        [line] = told
        assert str(path) in line
        assert "api_secret_file points to" in line
        renamed(path, NEW)
        accept(run, NEW)
        await run.until(241)
        assert run.value("itnio_up") == 1
        assert "can be read again" in log.getvalue()


async def test_an_account_that_is_refused_is_tried_as_soon_as_its_secret_is_another(
    time: VirtualTime, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    async with polled(time, path) as run:
        accept(run, NEW)
        await run.until(1000)
        # Every five minutes by now: at 1080 again.
        assert run.asked_at()[-1] == pytest.approx(780, abs=1)
        renamed(path, "wrong-again")
        await run.until(1025)
        assert run.asked_at()[-1] == pytest.approx(1020, abs=1)
        assert run.value("itnio_up") == 0
        renamed(path, NEW)
        await run.until(1085)
        assert run.value("itnio_up") == 1


async def test_a_reload_leaves_an_account_alone_whose_secret_rotated(
    time: VirtualTime, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    async with polled(time, path) as run:
        accept(run, NEW)
        await run.until(1000)
        renamed(path, NEW)
        before = run.accounts.snapshots["production"]
        loaded = config_of(path, run.simulator.url)
        assert loaded.accounts[0].api_secret == Secret(NEW)
        await run.accounts.reload(replace(run.accounts.config, accounts=loaded.accounts))
        assert run.accounts.snapshots["production"] is before
        # The reload has read it; the poll that was put off is made all the same.
        await run.until(1025)
        assert run.value("itnio_up") == 1


async def test_a_secret_in_the_configuration_is_taken_over_by_a_reload(
    time: VirtualTime,
) -> None:
    async with following(time) as run:
        accept(run, NEW)
        config = run.accounts.config
        (account,) = config.accounts
        changed = replace(account, api_secret=Secret(NEW))
        await run.accounts.reload(replace(config, accounts=(changed,)))
        await asyncio.sleep(1)
        assert run.value("itnio_up") == 1


# --- reading ------------------------------------------------------------------------------------


async def test_a_file_that_is_the_same_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    read: list[Path] = []

    def counted(path: Path) -> Secret:
        read.append(path)
        return Secret(path.read_text())

    (account,) = config_of(path).accounts
    monkeypatch.setattr(module, "read_secret_file", counted)
    followed = AccountCredentials(account)
    for _ in range(5):
        await followed.refresh()
    # Once, since it may have changed after the configuration was read.
    assert len(read) == 1
    os.utime(path)
    await followed.refresh()
    assert (len(read), followed.renewals) == (2, 0)


async def test_a_pipe_is_not_waited_for_again(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    (account,) = config_of(path).accounts
    path.unlink()
    os.mkfifo(path)
    followed = AccountCredentials(account)
    async with asyncio.timeout(1):
        await followed.refresh()
    assert followed.secret == Secret(OLD)


async def test_a_mount_that_hangs_does_not_end_polling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    (account,) = config_of(path).accounts
    followed = AccountCredentials(account)
    answers = asyncio.Event()

    async def hanging(*_: object) -> object:
        await answers.wait()
        return module._Read((1,), Secret(NEW))

    monkeypatch.setattr(asyncio, "to_thread", hanging)
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    await followed.refresh()
    assert followed.secret == Secret(OLD)
    answers.set()
    await followed.refresh()
    assert (followed.secret, followed.renewals) == (Secret(NEW), 1)


async def test_without_a_file_nothing_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(OLD)
    (account,) = config_of(path).accounts
    followed = AccountCredentials(replace(account, api_secret_file=None))
    path.write_text(NEW)
    await followed.refresh()
    assert followed().api_secret == OLD
