"""Who may see the pages, and how they are protected on the way: ``--web.config.file``."""
