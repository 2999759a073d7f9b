"""The HTTP side: metrics, status page, probes, reload. Reads snapshots, never the API client."""

from exporter.web.application import build
from exporter.web.listening import Address, Listening, listen, parse_address
from exporter.web.site import Site

__all__ = ["Address", "Listening", "Site", "build", "listen", "parse_address"]
