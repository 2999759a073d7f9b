"""Snapshots in, bytes for Prometheus out. Reads snapshots and never the poller."""
