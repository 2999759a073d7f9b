"""A pytest plugin: where CI is set, a skipped test fails the run.

A skip is how a missing server or tool turns a red run into a green one that tested less. On a
developer's machine it is only reported; in CI it is an error. Loaded by tests/conftest.py.
"""

import os

import pytest


class NoSkips:
    """Collects what was skipped, tests and whole modules alike, and fails the session for it."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # An expected failure is reported as skipped too, and is none: it ran.
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.section("skipped, which CI does not allow", red=True)
            for nodeid in sorted(set(self.skipped)):
                terminalreporter.write_line(nodeid)


def pytest_configure(config: pytest.Config) -> None:
    # The workers of pytest-xdist report to the controller, so that one place counts.
    in_ci = os.environ.get("CI", "").lower() not in {"", "0", "false"}
    if in_ci and not hasattr(config, "workerinput"):
        config.pluginmanager.register(NoSkips(), "no-skips")
