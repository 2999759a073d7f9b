"""The HTTP side: metrics, status page, probes, reload. Reads snapshots, never the API client."""
