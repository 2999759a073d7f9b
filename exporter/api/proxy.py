"""The proxy that the environment names for the API: looked up once for each account."""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import structlog

log = structlog.get_logger("client")


def proxy_for(base_url: str) -> str | None:
    """Return the URL of the proxy for requests to the API, None where they go straight to it.

    It is the one of ``http_proxy`` or ``https_proxy``, by the scheme of ``base_url``, unless
    ``no_proxy`` names the host; it may hold a password.
    """
    api = urlsplit(base_url)
    named = getproxies().get(api.scheme)
    if not named or not api.hostname or proxy_bypass(api.hostname):
        return None
    # As curl reads it: without a scheme it is an HTTP proxy.
    url = named if "://" in named else f"http://{named}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        log.warning("the proxy of the environment is not used: only HTTP proxies are supported")
        return None
    return url
