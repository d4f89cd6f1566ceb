"""Static files, read once and served compressed under an address that changes with their content.

All files share one version, the hash of them all, as a folder in the address: relative links between styles and fonts
keep working, and a browser may keep every file for ever. A bundle is several scripts sent as one request.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort

BUNDLES = {
    "js/phone.js": ("js/live.js", "js/ballot.js"),
    "js/console.js": ("js/live.js", "js/keys.js", "js/desk.js", "js/drafts.js", "js/files.js"),
    "js/check-in.js": ("js/drafts.js",),
    "js/report.js": ("js/drafts.js", "js/files.js", "js/print.js"),
    "js/screen.js": ("js/live.js", "js/keys.js", "js/wall.js"),
}
_COMMENT = re.compile(rb"/\*.*?\*/\s*", re.DOTALL)
_PACKED = {".css", ".js", ".txt", ".svg"}

files = Blueprint("files", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    plain: bytes
    packed: bytes | None
    mimetype: str


class Assets:
    """The files of a folder, in memory: some 300 KB."""

    def __init__(self, folder: Path) -> None:
        raw = {
            str(path.relative_to(folder).as_posix()): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        raw = {name: _COMMENT.sub(b"", data) if name.endswith(".css") else data for name, data in raw.items()}
        raw |= {bundle: b"".join(_bare(raw[part]) for part in parts) for bundle, parts in BUNDLES.items()}
        self.version = hashlib.sha256(b"".join(name.encode() + data for name, data in raw.items())).hexdigest()[:12]
        self._files = {name: _asset(name, data) for name, data in raw.items()}

    def url(self, name: str) -> str:
        """The address of a file. Raises KeyError for one that does not exist, so that a wrong name fails in a test."""
        self._files[name]
        return f"/static/{self.version}/{name}"

    def get(self, name: str) -> Asset | None:
        """A file by name."""
        return self._files.get(name)


@files.get("/static/<version>/<path:name>")
def static_file(version: str, name: str) -> Response:
    """A static file; kept for ever by browsers under its present version, not kept under any other."""
    from facilitation.web import house, takes_gzip  # here, because the package itself imports this module

    assets = house().assets
    asset = assets.get(name)
    if asset is None:
        abort(404)
    packed = asset.packed is not None and takes_gzip()
    response = Response(asset.packed if packed else asset.plain, mimetype=asset.mimetype)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if version == assets.version else "no-store"
    )
    return response


def _bare(script: bytes) -> bytes:
    """A script without its comment lines and its indentation: they are for readers of the source, not for the air."""
    return re.sub(rb"(?m)^[ \t]*(//.*)?\n|^[ \t]+", b"", script)


def _asset(name: str, data: bytes) -> Asset:
    mimetype = "font/woff2" if name.endswith(".woff2") else mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(data, gzip.compress(data, 9) if Path(name).suffix in _PACKED else None, mimetype)
