import pytest

from exporter.simulator import Settings, SimulatedWorld, serve
from exporter.simulator.server import url_of


async def test_a_free_port_is_taken_and_shown() -> None:
    async with await serve() as simulator:
        assert simulator.url.startswith("http://127.0.0.1:")
        assert isinstance(simulator.world, SimulatedWorld)
        assert simulator.world.settings == Settings()
        with pytest.raises(OSError, match="address already in use"):
            await serve(port=int(simulator.url.rpartition(":")[2]))


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")]
)
def test_urls_have_ipv6_in_brackets(host: str, url: str) -> None:
    assert url_of(host, 80) == url


async def test_the_default_account_always_has_unfinished_tasks() -> None:
    world = SimulatedWorld()
    for hour in range(0, 7 * 24, 3):
        now = 1_750_000_000 + hour * 3600
        statuses = world.truth(now, now - 86_400, now).whole.tasks
        assert sum(statuses.get(code, 0) for code in (0, 1, 5, 6)) > 0
