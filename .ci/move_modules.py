"""Move modules to their packages and rewrite every name of them; nothing else.

`python .ci/move_modules.py PACKAGE` does one step of `STEPS`: `git mv` for each file, and
then the new dotted names and paths in every tracked text file.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Old module below the package -> new module below the package.
STEPS: dict[str, dict[str, str]] = {
    "types": {"_facade": "_lazy", "_secret": "_types"},
    "http": {
        "_request": "_http.request",
        "_trace": "_http.trace",
        "_frozen": "_http.frozen",
        "_text": "_http.encoding",
        "_response": "_http.response",
        "_words": "_http.error_text",
        "_packing": "_http.compression",
        "_wiring": "_http.wiring",
        "_transport": "_http.transport",
        "_pipeline": "_http.pipeline",
        "_retry": "_http.retry",
        "_gate": "_http.limiter",
        "_bounds": "_http.timeouts",
        "_watch": "_http.watch",
        "_key": "_http.auth",
        "_redact": "_http.redact",
        "_spelled": "_http.spelled",
        "_log": "_http.telemetry",
        "_spans": "_http.spans",
        "_link": "_http.session",
        "_core": "_http.executor",
        "_clock": "_http.clock",
        "_shield": "_http.cancellation",
        "_statistics": "_http.statistics",
    },
    "json": {
        "_convert": "_json.converter",
        "_turns": "_json.cooperative",
        "_records": "_json.records",
        "_decoders": "_json.decoders",
        "_mirror": "_json.structs",
        "_slots": "_json.slots",
        "_shared": "_json.shared",
        "_careful": "_json.field_by_field",
        "_leaves": "_json.scalars",
        "_plan": "_json.fields",
        "_envelope": "_json.envelope",
        "_json": "_json.json",
        "_writer": "_json.encoder",
    },
    "paging": {
        "_pager": "_paging.pager",
        "_walk": "_paging.sequential",
        "_schedule": "_paging.prefetch",
        "_board": "_paging.page_queue",
        "_fanout": "_paging.fanout",
        "_course": "_paging.traversal",
        "_ledger": "_paging.ledger",
        "_pages": "_paging.receipt",
        "_seen": "_paging.seen",
        "_windows": "_paging.date_windows",
        "_cursor": "_paging.cursor",
        "_collector": "_paging.relaxed_gc",
    },
    "files": {
        "_download": "_files.download",
        "_host": "_files.download_link",
        "_chunk": "_files.ranges",
        "_target": "_files.destination",
        "_part": "_files.partial_file",
        "_validators": "_files.validators",
        "_upload": "_files.upload",
        "_pdf": "_files.pdf",
        "_source": "_files.upload_source",
        "_multipart": "_files.multipart",
        "_callback": "_files.progress",
    },
    "recording": {
        "_exchange": "recording.exchange",
        "_bodies": "recording.bodies",
        "redaction": "recording.redaction",
        "interchange": "recording.formats",
    },
    "testing": {
        "_testing": "testing",
        "_timeline": "testing.virtual_clock",
        "pytest_plugin": "testing.plugin",
    },
    "contract": {
        "_names": "contract.wire_names",
        "_operations": "contract.operation_ids",
    },
    "others": {
        "_poll": "resources._polling",
        "_ping": "resources._ping",
        "_loop": "sandbox.loop",
        "transports.live": "transports.aiohttp",
        "transports._pool": "transports._aiohttp_pool",
        "transports.recorded": "transports.replay",
    },
}

_HELPERS = (
    "wires values turns tracing taken surface strategies shapes house har_entries "
    "filled filehost endpoints doubles aioresponses_shim"
)
_TESTS = {
    "http": "request response packing=compression pipeline retry gate=limiter redact "
    "spelled=redact_spellings log=telemetry spans clock injection",
    "json": "convert=converter leaves=scalars shared=shared_parts turns=cooperative",
    "paging": "pager pages=receipt course=traversal fanout schedule=prefetch "
    "seen=receipt_ids cursor collector=relaxed_gc moved_lists hostile_lists",
    "files": "download download_same_file host=download_link upload multipart",
    "recording": "bodies exchange",
    "contract": "contract contract_copy names=wire_names overrides",
    "resources": "poll=polling",
    "testing": "pytest_plugin=plugin",
    "sandbox": "own_loop=loop",
}
# Old file below tests -> new file below tests.
TESTS: dict[str, str] = {f"{n}.py": f"support/{n}.py" for n in _HELPERS.split()}
for folder, names in _TESTS.items():
    for name in names.split():
        old, _, new = name.partition("=")
        TESTS[f"test_{old}.py"] = f"{folder}/test_{new or old}.py"
TESTS |= {
    "transports/test_live.py": "transports/test_aiohttp.py",
    "transports/test_recorded.py": "transports/test_replay.py",
    "redaction": "recording/redaction",
    "interchange": "recording/formats",
    "recording/overlaid.py": "support/overlaid.py",
    "sandbox/visitor.py": "support/visitor.py",
    "sandbox/caller.py": "support/caller.py",
    "cli/runs.py": "support/runs.py",
}
for name in "canaries calls loopback run search server".split():
    TESTS[f"canaries/{name}.py"] = f"support/canaries/{name}.py"
for name in (
    "host scene table naive_gate naive_models naive_paging naive_recordings "
    "naive_retry naive_start naive_telling naive_transport"
).split():
    TESTS[f"complaints/{name}.py"] = f"support/complaints/{name}.py"


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def move(old: str, new: str) -> None:
    (ROOT / new).parent.mkdir(parents=True, exist_ok=True)
    git("mv", old, new)


def texts() -> list[Path]:
    paths = [ROOT / name for name in git("ls-files").splitlines()]
    kinds = {".py", ".toml", ".md", ".txt", ""}
    skipped = {ROOT / "CHANGELOG.md", Path(__file__).resolve()}
    return [p for p in paths if p.suffix in kinds and p.is_file() and p not in skipped]


def rewrite(rules: list[tuple[str, str]]) -> None:
    compiled = [(re.compile(old), new) for old, new in rules]
    for path in texts():
        try:
            before = text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for old, new in compiled:
            text = old.sub(new, text)
        if text != before:
            path.write_text(text, encoding="utf-8")


def modules(step: str) -> None:
    rules = []
    for old, new in STEPS[step].items():
        old_path, new_path = old.replace(".", "/"), new.replace(".", "/")
        source = ROOT / "nectar_async" / old_path
        if not source.with_suffix(".py").exists():
            if (ROOT / "nectar_async" / new_path).exists():
                for path in git("ls-files", f"nectar_async/{old_path}").splitlines():
                    move(path, path.replace(old_path, new_path, 1))
            else:
                move(f"nectar_async/{old_path}", f"nectar_async/{new_path}")
        else:
            # By way of a name of its own: `_json.py` becomes `_json/json.py`.
            git("mv", f"nectar_async/{old_path}.py", "nectar_async/moving.tmp")
            (ROOT / f"nectar_async/{new_path}.py").parent.mkdir(exist_ok=True)
            git("mv", "nectar_async/moving.tmp", f"nectar_async/{new_path}.py")
        parent, _, name = f"nectar_async.{new}".rpartition(".")
        old_parent, _, old_name = f"nectar_async.{old}".rpartition(".")
        known = re.escape(f"nectar_async.{old}")
        # A name that is moved already, as `nectar_async._json.json`, stays as it is.
        done = (
            r"(?!\.(?:json|converter|cooperative|records|decoders|structs|slots|shared|field_by_field|scalars|fields|envelope|encoder)\b)"
            if old == "_json"
            else ""
        )
        rules += [
            (rf"\b{known}\b{done}", f"nectar_async.{new}"),
            (
                rf"\bfrom {re.escape(old_parent)} import {old_name}$",
                f"from {parent} import {name} as {old_name}"
                if name != old_name
                else f"from {parent} import {name}",
            ),
            (rf"nectar_async/{re.escape(old_path)}\.py", f"nectar_async/{new_path}.py"),
            (rf"nectar_async/{re.escape(old_path)}/", f"nectar_async/{new_path}/"),
        ]
    rewrite([(f"(?m){old}", new) for old, new in rules])


def tests() -> None:
    rules = []
    for old, new in TESTS.items():
        move(f"tests/{old}", f"tests/{new}")
        rules.append((rf"tests/{re.escape(old)}\b", f"tests/{new}"))
        if (
            "/" in old
            and new.startswith("support/")
            and not re.match("support/(canaries|complaints)/", new)
        ):
            module = old.removesuffix(".py").replace("/", r"\.")
            rules.append(
                (rf"(?m)^(\s*)from {module} import", rf"\1from {Path(new).stem} import")
            )
    rewrite(rules)


if __name__ == "__main__":
    if sys.argv[1] == "tests":
        tests()
    else:
        modules(sys.argv[1])
