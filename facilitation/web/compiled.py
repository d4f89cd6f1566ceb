"""Compiled templates, kept from one start of the program to the next, as Python keeps its compiled modules.

Compiling them is a third of what a start takes. They lie in the same folder as this package's compiled modules, and
where that cannot be written to, they are compiled at each start.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError

import jinja2
from jinja2.bccache import Bucket, FileSystemBytecodeCache

HERE = Path(__file__).parent


class CompiledTemplates(FileSystemBytecodeCache):
    """What Jinja keeps them in. It compiles a template again when its text has changed."""

    def __init__(self, made_by: Path, folder: Path = HERE / "__pycache__") -> None:
        """made_by: the module that says how templates are compiled; what another state of it made is not used."""
        state = hashlib.sha256(jinja2.__version__.encode() + made_by.read_bytes()).hexdigest()[:12]
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
        super().__init__(str(folder), f"%s.{state}.template")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take one that was kept; one that cannot be read is as if it were not there."""
        try:
            super().load_bytecode(bucket)
        except (OSError, EOFError, ValueError, UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one, if the folder can be written to."""
        with suppress(OSError):
            super().dump_bytecode(bucket)
