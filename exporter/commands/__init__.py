"""What each command of the command line does, a module each; `exporter.cli` lists them."""
