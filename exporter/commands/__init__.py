"""What each command of the command line does, a module each; `exporter.cli` lists them."""

import sys
from typing import Final

# structlog looks for rich, with which it could draw tracebacks; ours are one line. Without it every
# start is a tenth faster and 4 MB smaller. Commands that draw with rich find it afterwards.
_ABSENT: Final = object()
_rich = sys.modules.get("rich", _ABSENT)
sys.modules["rich"] = None  # type: ignore[assignment]  # as Python marks what is not to be found
try:
    import structlog  # noqa: F401
finally:
    del sys.modules["rich"]
    if _rich is not _ABSENT:
        sys.modules["rich"] = _rich  # type: ignore[assignment]
