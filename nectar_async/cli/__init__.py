"""The `nectar` command. It needs the extra: `pip install 'nectar-async[cli]'`."""

from __future__ import annotations

import sys

__all__ = ["main"]

_EXTRA = {"typer", "rich"}
_USAGE = 2
_INTERRUPTED = 130


def main() -> int:
    """Run the command line of the process and return its exit code."""
    try:
        # All of them need the extra.
        from nectar_async.cli.app import run  # noqa: PLC0415
        from nectar_async.cli.output import flush_output  # noqa: PLC0415
        from nectar_async.cli.terminal import prepare_streams  # noqa: PLC0415

        prepare_streams()
        return flush_output(run())
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(
            "the `nectar` command needs the extra `cli`: pip install"
            " 'nectar-async[cli]', or pip install '.[cli]' in a clone of the"
            " repository\n"
        )
        return _USAGE
    except KeyboardInterrupt:
        # Ctrl-C may also come while the modules above are imported.
        sys.stderr.write("interrupted\n")
        return _INTERRUPTED
