"""The vendor's example response, to the letter, served over HTTP and polled."""

from exporter.accounts import Accounts
from exporter.simulator import EXAMPLE_RECORD, ScriptedWorld, serve
from tests.accounts import config_for, polled, value
from tests.virtual_time import BEGIN, VirtualTime

# 2024-06-04 15:00:00, ten minutes after the example was created, by a clock at UTC.
SOON_AFTER = 1_717_513_200.0


async def exposition(accounts: Accounts) -> bytes:
    return await accounts.exposition.scrape(openmetrics=False, compressed=False)


async def test_the_vendors_example_gives_the_vendors_figures(time: VirtualTime) -> None:
    time.wall_offset = SOON_AFTER - BEGIN
    world = ScriptedWorld([EXAMPLE_RECORD])
    async with (
        await serve(world, clock=time.now) as simulator,
        polled(config_for(simulator, "windows: [1h]"), time) as accounts,
    ):
        assert await accounts.poll_once()
        text = await exposition(accounts)
    window = "itnio_voice_window_"
    assert value(text, f"{window}answer_ratio") == 0.8
    assert value(text, f"{window}average_call_duration_seconds") == 60
    assert value(text, f"{window}failed_calls") == 2
    assert value(text, f"{window}spend", kind="agent", currency="USD") == 0.125
    assert value(text, f"{window}spend", kind="call", currency="USD") == 0.034827
    assert value(text, f"{window}spend", kind="sms", currency="USD") == 0
    assert value(text, f"{window}spend_unreconciled", currency="USD") == 0
    assert value(text, f"{window}tasks", status="finished", script_id="56") == 1
    assert value(text, f"{window}tasks", status="calling") == 0
    # It was there when the account was first polled: a baseline, which adds nothing.
    assert value(text, "itnio_voice_calls_total") == 0
    assert value(text, "itnio_up", account="production") == 1
