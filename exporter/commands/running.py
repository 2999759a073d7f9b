"""How a command that serves or polls begins and ends: its logs, its exit status.

Exit status: 0 fine, 1 a failure at run time, 2 bad usage or a bad configuration.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, Final

import click
import stamina

from exporter import logs
from exporter.commands.loading import BAD_USAGE
from exporter.config import ConfigError
from exporter.web.options import WebOptionError

_FAILED: Final = 1


def configure_logs(level: str, form: Any) -> None:
    """Log to standard error from now on."""
    logs.configure(level, form, sys.stderr)
    # What a retry was for is in the API's metrics; a line for each is noise.
    stamina.instrumentation.set_on_retry_hooks([])


def run_to_end(work: Coroutine[Any, Any, bool | None]) -> None:
    """Run to the end; a failure that is not ours to mend is one sentence, not a traceback."""
    try:
        fine = asyncio.run(work)
    except ConfigError as error:
        click.echo(str(error), err=True)
        raise SystemExit(BAD_USAGE) from None
    except WebOptionError as error:
        raise click.UsageError(str(error)) from None
    except BrokenPipeError:
        # Who read has gone, as head does; what is still in the buffer must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(_FAILED) from None
    except OSError as error:
        click.echo(f"itnio-exporter: {error}", err=True)
        raise SystemExit(_FAILED) from None
    except KeyboardInterrupt:
        raise SystemExit(_FAILED) from None
    if fine is False:
        raise SystemExit(_FAILED)
