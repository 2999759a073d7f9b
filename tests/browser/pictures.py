"""Draws docs/pictures/status-page*.png: the demo's page in a headless Chromium.

Usage: python -m tests.browser.pictures [MINUTES]; so long (default 5) the demo runs before the
first picture, so that there are trends to see. Run it from the repository's folder.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.visits import Look
from tests.integration.servers import exporter

FOLDER = Path("docs/pictures")
BITE = 150.0
"""Seconds after which an incident has gone well into the figures."""


def draw(browser: Browser, url: str, name: str, look: Look) -> None:
    """Write what the first screen shows."""
    context = browser.new_context(
        color_scheme=look.scheme, viewport={"width": look.width, "height": look.height}
    )
    page = context.new_page()
    page.goto(url)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()
    sys.stdout.write(f"{FOLDER / name}.png\n")


def main(minutes: float) -> None:
    """Run the demo, let something go wrong, and draw it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        exporter("demo", log=Path(folder) / "demo.log") as demo,
        sync_playwright() as playwright,
    ):
        demo.wait_until_ready()
        # The sandbox cannot be had by root; all that is opened is ours.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        time.sleep(minutes * 60)
        draw(browser, f"{demo.url}/?status=calling", "status-page", Look(width=1200, height=1700))
        page = browser.new_page()
        page.goto(demo.url)
        page.click("#incident-answers")
        time.sleep(BITE)
        draw(browser, demo.url, "status-page-incident", Look("dark", width=1200, height=1010))
        draw(browser, demo.url, "status-page-phone", Look(width=360, height=740))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
