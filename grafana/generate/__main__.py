"""Write everything anew, or with --check tell what is not what the code says."""

import sys

from grafana.generate.outputs import ROOT, outputs


def main(arguments: list[str]) -> int:
    """Write or check every file; 1 where a check finds one that differs."""
    files = {ROOT / name: text for name, text in outputs().items()}
    if arguments == ["--check"]:
        stale = [
            path for path, text in files.items() if not path.exists() or path.read_text() != text
        ]
        for path in stale:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not what the code says: make docs\n")
        return 1 if stale else 0
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
