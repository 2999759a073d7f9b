"""A page as one person sees it: opened in a real browser, with everything that went wrong there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# What the Content-Security-Policy refuses is an event of the page; a console may show less.
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


@dataclass(frozen=True)
class Look:
    """How somebody looks at a page."""

    scheme: Literal["light", "dark"] = "light"
    width: int = 1280
    height: int = 900
    javascript: bool = True
    forced_colors: Literal["active", "none"] = "none"


LOOKS = {
    "light": Look(),
    "dark": Look("dark"),
    "phone": Look(width=360, height=640),
    "dark phone": Look("dark", width=360, height=640),
    "high contrast": Look(forced_colors="active"),
}


@dataclass
class Visit:
    """An open page."""

    page: Page
    look: Look
    said: list[str] = field(default_factory=list)
    """Errors and warnings of the console, exceptions, dialogs."""

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.said.append(f"{message.type}: {message.text}")

    def refuse(self, dialog: Dialog) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def troubles(self) -> list[str]:
        """Everything that a developer would see in red."""
        return self.said + (self.page.evaluate("window.violations") if self.look.javascript else [])

    def is_as_wide_as_the_screen(self) -> bool:
        width: int = self.page.evaluate("document.scrollingElement.scrollWidth")
        return width <= self.look.width

    def barriers(self) -> list[str]:
        """What axe-core finds, but for trifles."""
        self.page.evaluate(AXE)
        found: dict[str, Any] = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        assert found["passes"], "axe-core looked at nothing"
        return [
            f"{each['id']} ({each['impact']}): {node['html'][:200]} {node['failureSummary']}"
            for each in found["violations"]
            if each["impact"] in {"moderate", "serious", "critical"}
            for node in each["nodes"]
        ]

    def texts(self, selector: str) -> list[str]:
        """What the elements say, on one line each."""
        return [" ".join(text.split()) for text in self.page.locator(selector).all_inner_texts()]


def visit(browser: Browser, url: str, look: Look) -> Iterator[Visit]:
    """Open a page; its clock stands still until it is told to go on."""
    context = browser.new_context(
        color_scheme=look.scheme,
        viewport={"width": look.width, "height": look.height},
        java_script_enabled=look.javascript,
        forced_colors=look.forced_colors,
    )
    try:
        page = context.new_page()
        visited = Visit(page, look)
        page.on("console", visited.hear)
        page.on("pageerror", lambda error: visited.said.append(f"exception: {error}"))
        page.on("dialog", visited.refuse)
        if look.javascript:
            page.clock.install()
            page.add_init_script(VIOLATIONS)
        page.goto(url)
        yield visited
    finally:
        context.close()
