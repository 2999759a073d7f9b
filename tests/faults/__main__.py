"""Print the fault matrix as it stands in docs/reliability.md: ``python -m tests.faults``."""

import sys

from tests.faults.page import matrix

sys.stdout.write(f"{matrix()}\n")
