"""`python -m nectar_async.cli` runs the `nectar` command."""

from __future__ import annotations

import sys

from nectar_async.cli import main

if __name__ == "__main__":
    sys.exit(main())
