"""Whether an exporter serves: the health check of the container image.

It knows no password, and no certificate to show, so that being refused has to be answer enough: a
process that hangs refuses nobody. `python -m exporter.alive [HOST:PORT]`; exit status 1: it does
not.
"""

import http.client
import sys
from http import HTTPStatus
from typing import Final

from exporter.web.options import Address, parse_address

_ADDRESS: Final = "127.0.0.1:10911"
_PATIENCE: Final = 3.0
_ANSWERS: Final = frozenset({HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})


def is_alive(address: Address, patience: float = _PATIENCE) -> bool:
    """Ask for `/-/healthy`, and wait so many seconds for an answer."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=patience)
    try:
        connection.request("GET", "/-/healthy")
        return connection.getresponse().status in _ANSWERS
    except (http.client.HTTPException, ConnectionResetError, BrokenPipeError):
        # It speaks TLS, saw that this is none, and closed the connection.
        return True
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_alive(parse_address(sys.argv[1] if len(sys.argv) > 1 else _ADDRESS)))
