"""``python -m exporter`` is ``itnio-exporter``."""

from exporter.cli import main

main(prog_name="itnio-exporter")
