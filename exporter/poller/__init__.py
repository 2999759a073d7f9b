"""One account's loop: ask, apply, publish."""

from exporter.poller.account import AccountPoller
from exporter.poller.loop import PollLoop

__all__ = ["AccountPoller", "PollLoop"]
