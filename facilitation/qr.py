"""QR codes as inline SVG. Pure, with segno."""

from __future__ import annotations

from functools import lru_cache

import segno
from markupsafe import Markup
from segno.helpers import make_wifi

from facilitation.language import _

_BORDER = 2  # modules; the white card around it is the rest of the quiet zone


@lru_cache(maxsize=64)
def svg(content: str, label: str) -> Markup:
    """A QR code of a text, with the label that a screen reader says."""
    return _draw(segno.make(content, error="m", micro=False), label)


def wifi_svg(name: str, password: str) -> Markup:
    """A QR code that joins a Wi-Fi network; an open one if the password is empty."""
    return _wifi(name, password, str(_("QR code for the Wi-Fi network %(name)s", name=name)))


@lru_cache(maxsize=16)
def _wifi(name: str, password: str, label: str) -> Markup:
    code = make_wifi(ssid=name, password=password or None, security="WPA" if password else "nopass")
    return _draw(code, label)


def picture(drawn: Markup) -> str:
    """A drawn code as a file of its own, for what is not a page."""
    return str(drawn).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def _draw(code: segno.QRCode, label: str) -> Markup:
    """One path of horizontal runs: a third of the size of a square for each module."""
    rows = [list(row) for row in code.matrix_iter(border=_BORDER)]
    runs: list[str] = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            length = 0
            while x + length < len(row) and row[x + length]:
                length += 1
            if length:
                runs.append(f"M{x} {y}h{length}v1h-{length}z")
            x += max(1, length)
    size = len(rows)
    return Markup(
        '<svg class="qr" width="200" height="200" viewBox="0 0 {size} {size}" role="img" aria-label="{label}" '
        'shape-rendering="crispEdges"><rect width="{size}" height="{size}" fill="#fff"/>'
        '<path fill="#000" d="{path}"/></svg>'
    ).format(size=size, label=label, path="".join(runs))
