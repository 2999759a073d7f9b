"""Prometheus exporter for AI-agent outbound voice campaigns run on the ITNIO voice API."""

__version__ = "0.1.0"
