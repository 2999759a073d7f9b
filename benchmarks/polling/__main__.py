"""Run the benchmark of polling alone and print its piece of docs/performance.md."""

import argparse
import sys
from pathlib import Path

from benchmarks.polling.performance import run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/performance"))
    parser.add_argument("--quick", action="store_true", help="less of everything: does it run?")
    chosen = parser.parse_args()
    sys.stdout.write(run(chosen.folder, quick=chosen.quick))
