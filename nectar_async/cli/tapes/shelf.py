"""What a command that was recorded left behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from nectar_async.cli.words import counted
from nectar_async.errors import RecordingError
from nectar_async.recording.bodies import sha256_hex
from nectar_async.recording.contents import summarize_operations
from nectar_async.recording.folder import MANIFEST_NAME, Recording

__all__ = ["Shelf"]


@frozen
class Shelf:
    """The recording at a path, or those below it, at some moment."""

    recordings: Mapping[Path, Recording]
    files: Mapping[Path, str]
    """The digest of each file; of manifests there is none."""

    @classmethod
    def at(cls, path: Path) -> Shelf:
        """What is there; what cannot be read is not."""
        recordings: dict[Path, Recording] = {}
        files: dict[Path, str] = {}
        for manifest in sorted(path.rglob(MANIFEST_NAME)):
            folder = manifest.parent
            try:
                recordings[folder] = Recording.load(folder)
            except RecordingError:
                continue
            files |= {
                one: sha256_hex(one.read_bytes())
                for one in folder.iterdir()
                if one.is_file() and one.name != MANIFEST_NAME
            }
        return cls(recordings, files)

    def since(self, before: Shelf, path: Path) -> str:
        """What is there now, and what of that is new."""
        found = self.recordings.values()
        operations = {
            line.operation for one in found for line in summarize_operations(one)
        }
        exchanges = sum(len(one.exchanges) for one in found)
        several = f"{counted(len(found), 'recording')} below " * (len(found) != 1)
        return (
            f"{several}{path}: {counted(exchanges, 'exchange')} of"
            f" {counted(len(operations), 'operation')}; {self._changes(before)}"
        )

    def _changes(self, before: Shelf) -> str:
        new = len(self.files.keys() - before.files.keys())
        gone = len(before.files.keys() - self.files.keys())
        both = self.files.keys() & before.files.keys()
        changed = sum(self.files[one] != before.files[one] for one in both)
        counts = ((new, "new"), (changed, "changed"), (gone, "gone"))
        said = [f"{count:,} {word}" for count, word in counts if count]
        if said:
            return f"files: {', '.join(said)}"
        instants = {at: one.recorded_at for at, one in before.recordings.items()}
        is_touched = any(
            one.recorded_at != instants[at] for at, one in self.recordings.items()
        )
        return "only their date changed" if is_touched else "nothing changed"
