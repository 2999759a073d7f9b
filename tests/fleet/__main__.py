"""`python -m tests.fleet`: the whole trial, a quarter of an hour; `make fleet-test` is the same."""

import argparse
import asyncio
import sys

from tests.fleet.fleet import Plan
from tests.fleet.trial import trial


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--interval", type=float, default=15.0, help="seconds between two polls")
    parser.add_argument("--lasts", type=float, default=600.0, help="seconds of trouble")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    verdict = asyncio.run(
        trial(
            Plan(
                accounts=asked.accounts,
                interval=asked.interval,
                lasts=asked.lasts,
                every=asked.every,
                scrape=5,
                troubles=(
                    "kill",
                    "stop",
                    "drain",
                    "cut",
                    "silence",
                    "drain in silence",
                    "database",
                ),
                kills=3,
                seed=asked.seed,
            )
        )
    )
    sys.stdout.write("\n".join(verdict.lines()) + "\n")
    sys.exit(1 if verdict.faults else 0)


main()
