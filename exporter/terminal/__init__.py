"""What commands show in a terminal, or in a log where there is none."""
