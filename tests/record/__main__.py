"""`python -m tests.record`: compute the record anew and print what differs; with `--write`, store it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.record.comparing import differences, read, write
from tests.record.parts import PARTS, WITHOUT_CLIPS
from tests.record.running import Place


def main() -> int:
    """Returns 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.record", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--write", action="store_true", help="store what was computed")
    args = parser.parse_args()
    told = 0
    for name in args.parts or PARTS:
        started_s = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="semc-record-") as folder:
            found = PARTS[name](Place(Path(folder).resolve()), quick=False)
        took = f"{time.monotonic() - started_s:.0f} s"
        if args.write:
            write(name, found)
            print(f"{name}: stored ({took})", flush=True)
            continue
        stored, here = read(name)
        for clip in WITHOUT_CLIPS - found.keys():
            stored.pop(clip, None)
        lines = differences(stored, found, here=here, name=name)
        told += len(lines)
        kind = "" if here else ", on another kind of machine than it was stored on"
        print(f"{name}: {len(lines) or 'nothing'} differs ({took}{kind})", flush=True)
        print(*(f"  {line}" for line in lines), sep="\n", end="\n" if lines else "", flush=True)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
