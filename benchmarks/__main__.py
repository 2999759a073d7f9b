"""``python -m benchmarks``: run every benchmark there is, and write docs/performance.md.

A benchmark is a package here with a module ``performance`` that has ``write(folder, quick)``: it
measures, and writes ``NAME.md`` (beginning with a second-level heading) and its pictures into the
folder. They are put together in the order of their names.
"""

import argparse
import importlib
import re
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parent / "docs"
PIECES: Final = DOCS / "performance"

INTRODUCTION: Final = """\
# Performance

Written by `make bench`, which measures everything anew; no figure here is from anywhere else. What
is compared ran in the same minutes on the same machine, by turns: the ratios tell something, the
times only of that machine.
"""


def found() -> list[str]:
    """Return the names of the benchmarks."""
    return sorted(path.parent.name for path in HERE.glob("*/performance.py"))


def assembled(pieces: Path = PIECES) -> str:
    """Return the page, put together from the pieces that are there."""
    # A piece names its pictures as they lie beside it, and the page lies a folder above.
    texts = [
        re.sub(r"\]\(([\w-]+\.svg)\)", rf"]({PIECES.name}/\1)", path.read_text().rstrip())
        for path in sorted(pieces.glob("*.md"))
    ]
    return "\n\n".join([INTRODUCTION.rstrip(), *texts]) + "\n"


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(found())}; all")
    parser.add_argument("--quick", action="store_true", help="less of everything: does it run?")
    parser.add_argument("--folder", type=Path, default=PIECES, help="where the pieces go")
    parser.add_argument("--assemble", action="store_true", help="only put the page together")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(found()):
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in [] if asked.assemble else asked.names or found():
        sys.stderr.write(f"benchmark: {name}\n")
        importlib.import_module(f"benchmarks.{name}.performance").write(asked.folder, asked.quick)
    if asked.folder == PIECES:
        (DOCS / "performance.md").write_text(assembled())
    else:
        sys.stdout.write(assembled(asked.folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
