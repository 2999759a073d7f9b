"""While much is rendered, scrapes are answered at once, and only with what is whole."""

import asyncio
import gzip

import pytest

from benchmarks.serving.tracked import TrackedAccount, accounts
from exporter.exposition import body as bodies
from exporter.exposition import gzipped
from exporter.exposition.scrape import Exposition
from exporter.exposition.telemetry import Telemetry

CALLS = b"itnio_voice_calls_total{"


@pytest.fixture
def made() -> list[TrackedAccount]:
    return accounts(25_000)


@pytest.fixture
def exposition(made: list[TrackedAccount]) -> Exposition:
    shown = Exposition(Telemetry("1", ()).registry)
    for each in made:
        # Without a loop nothing is put off, as for `once`.
        shown._renderer.update(each.snapshot())
    shown.text(openmetrics=False)
    return shown


def calls(text: bytes) -> list[bytes]:
    return [line for line in text.splitlines() if line.startswith(CALLS)]


async def scraped(exposition: Exposition, *, compressed: bool = False) -> bytes:
    text = await exposition.scrape(openmetrics=False, compressed=compressed)
    return gzip.decompress(text) if compressed else text


async def settled(exposition: Exposition) -> None:
    assert exposition._rendering is not None
    await exposition._rendering


@pytest.mark.parametrize("compressed", [False, True])
async def test_what_was_there_before_is_shown_until_all_is_rendered(
    exposition: Exposition, made: list[TrackedAccount], *, compressed: bool
) -> None:
    before = calls(await scraped(exposition, compressed=compressed))
    served = exposition.served
    for each in made:
        exposition.publish(each.go_on(1.0))
    for _ in range(20):
        assert calls(await scraped(exposition, compressed=compressed)) == before
        await asyncio.sleep(0)
    # Nobody has seen what is new, so that no counter may leave its zero yet.
    assert exposition.served == served
    await settled(exposition)
    after = calls(await scraped(exposition, compressed=compressed))
    assert len(after) == len(before)
    assert not set(after) & set(before)
    assert exposition.served == served + 1


async def test_what_is_new_is_ready_in_the_forms_in_which_it_is_wanted(
    exposition: Exposition, made: list[TrackedAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    await scraped(exposition, compressed=True)
    exposition.publish(made[0].go_on(1.0))
    await settled(exposition)
    deflated: list[int] = []
    original = gzipped.deflate

    def noted(data: bytes) -> gzipped.Deflated:
        deflated.append(len(data))
        return original(data)

    monkeypatch.setattr(bodies, "deflate", noted)
    await scraped(exposition, compressed=True)
    assert deflated == []


async def test_only_what_changed_is_deflated_anew(
    exposition: Exposition, made: list[TrackedAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    await scraped(exposition, compressed=True)
    deflated: list[int] = []
    original = gzipped.deflate

    def noted(data: bytes) -> gzipped.Deflated:
        deflated.append(len(data))
        return original(data)

    monkeypatch.setattr(bodies, "deflate", noted)
    exposition.publish(made[0].go_on(0.01))
    await settled(exposition)
    text = await scraped(exposition, compressed=True)
    assert 0 < sum(deflated) < len(text) / 3
    deflated.clear()
    # And nothing, where nothing changed: whoever asks.
    for _ in range(5):
        await scraped(exposition, compressed=True)
    assert deflated == []


async def test_a_scrape_of_names_does_not_wait_and_does_not_count(
    exposition: Exposition, made: list[TrackedAccount]
) -> None:
    served = exposition.served
    exposition.publish(made[0].go_on(1.0))
    names = frozenset({"itnio_up", "process_open_fds"})
    text = await exposition.scrape(openmetrics=True, compressed=True, names=names)
    assert gzip.decompress(text).count(b"itnio_up{") == len(made)
    assert exposition.served == served
    await settled(exposition)


async def test_little_is_shown_at_once() -> None:
    (small,) = accounts(1_000)
    exposition = Exposition(Telemetry("1", ()).registry)
    exposition.publish(small.snapshot())
    assert exposition._rendering is None
    assert calls(await scraped(exposition))
    assert exposition.served == 1
    exposition.remove(small.name)
    assert not calls(await scraped(exposition))


async def test_all_scrapes_share_the_pieces(exposition: Exposition) -> None:
    one = await exposition.pieces(openmetrics=False, compressed=False)
    other = await exposition.pieces(openmetrics=False, compressed=False)
    assert len(one) > 5
    assert all(mine is yours for mine, yours in zip(one[:-1], other[:-1], strict=True))
    assert max(map(len, one)) < 2**19


async def test_what_is_removed_is_shown_no_more_while_much_is_rendered(
    exposition: Exposition, made: list[TrackedAccount]
) -> None:
    gone = made[0]
    name = f'account="{gone.snapshot().account}"'.encode()
    assert CALLS + name in await scraped(exposition)
    for each in made:
        exposition.publish(each.go_on(1.0))
    await asyncio.sleep(0)
    exposition.remove(gone.snapshot().account)
    # Another replica may be showing it by now, and further on.
    assert CALLS + name not in await scraped(exposition)
    await settled(exposition)
    after = await scraped(exposition)
    assert CALLS + name not in after
    assert len(calls(after)) > 0


async def test_what_is_removed_while_a_scrape_is_compressed_is_not_in_it(
    exposition: Exposition, made: list[TrackedAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Exposition._zip
    gone = made[0].name
    exposition.publish(made[0].go_on(1.0))
    await settled(exposition)

    async def meanwhile(self: Exposition, body: bodies.Body, *, openmetrics: bool) -> None:
        monkeypatch.setattr(Exposition, "_zip", original)
        await self._zip(body, openmetrics=openmetrics)
        self.remove(gone)

    monkeypatch.setattr(Exposition, "_zip", meanwhile)
    text = await scraped(exposition, compressed=True)
    assert f'account="{gone}"'.encode() not in text
    assert f'account="{made[1].name}"'.encode() in text
