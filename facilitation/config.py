"""The settings of the program, read from the environment once, when it starts.

A value that cannot be used is refused in a sentence, and so is a name that can only be a slip of the keyboard: a
program that quietly runs with its defaults keeps its data in another place than was meant.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from facilitation.errors import BadSetting

SETTINGS_HELP: dict[str, str] = {
    "HOST": "The address to listen on: 0.0.0.0 (the default) for every network this computer is in, 127.0.0.1 for this "
    "computer alone, :: for IPv6, or any one address of it.",
    "PORT": "The port to listen on, 1 to 65535. Default: 8000.",
    "DATA_DIR": "The folder for the database and the key file. It must not be a synced folder. Default: "
    "hallmarks-workshop in %LOCALAPPDATA% (Windows), ~/Library/Application Support (macOS), $XDG_DATA_HOME or "
    "~/.local/share (Linux).",
    "DATABASE_URL": "A PostgreSQL database, postgresql://user:password@host/name. Default: the SQLite file workshop.db "
    "in DATA_DIR.",
    "REDIS_URL": "The Redis that joins several workers, redis://host:port/0 or rediss://. Default: none, one process "
    "needs none.",
    "PUBLIC_URL": "The address that phones use, http://name:port or https://name, when it is not simply an address of "
    "this computer. With https the program knows that it is hosted. Default: none.",
    "OPEN_BROWSER": "1 (the default) opens the facilitator's page in a browser at the start, 0 does not.",
    "LOG_REQUESTS": "1 writes a line for each request to the standard error stream: method, route, status and "
    "milliseconds, never who asked for what. 0 (the default) writes faults and warnings only.",
    "TRUSTED_PROXY": "The addresses or networks, with commas between them, of the proxy in front: it is believed when "
    "X-Forwarded-For says where a request comes from. Default: this computer's own, 127.0.0.1 and ::1.",
}
"""What each setting is for, by its name in the environment. An empty value means the default, everywhere."""

Network = IPv4Network | IPv6Network

APPLICATION_FOLDER = "hallmarks-workshop"
"""The name of the default data folder."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, checked; each is explained in SETTINGS_HELP under its name in capitals."""

    host: str  # an IP address, or "localhost"
    port: int  # 1 to 65535
    data_dir: Path  # absolute; nothing has created it yet
    database_url: str = field(repr=False)  # as SQLAlchemy takes it; not shown, because it may hold a password
    redis_url: str = field(repr=False)  # "" for none; not shown either
    public_url: str  # as browsers write an origin: small letters, no default port, no slash at the end; "" for none
    open_browser: bool
    log_requests: bool = False
    trusted_proxy: tuple[Network, ...] = (ip_network("127.0.0.1"), ip_network("::1"))

    @property
    def hosted(self) -> bool:
        """Whether phones reach the program by https: then cookies are Secure and HSTS is sent."""
        return self.public_url.startswith("https://")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The settings that an environment such as `os.environ` makes.

        Raises BadSetting, naming the setting, what was given (never a password) and what is accepted.
        """
        for name in environ:
            meant = _meant(name)
            if meant is not None:
                raise BadSetting(f"The environment sets {name}, which is not a setting. Did you mean {meant}?")
        # Blanks at the ends are never meant: `set PORT=8000 && python app.py` leaves one on Windows.
        given = {name: environ.get(name, "").strip() for name in SETTINGS_HELP}
        data_dir = _data_dir(given["DATA_DIR"], environ)
        return cls(
            host=_host(given["HOST"]),
            port=_port(given["PORT"]),
            data_dir=data_dir,
            database_url=_database_url(given["DATABASE_URL"]) or _sqlite_url(data_dir / "workshop.db"),
            redis_url=_redis_url(given["REDIS_URL"]),
            public_url=_public_url(given["PUBLIC_URL"]),
            open_browser=_open_browser(given["OPEN_BROWSER"]),
            log_requests=_log_requests(given["LOG_REQUESTS"]),
            trusted_proxy=_trusted_proxy(given["TRUSTED_PROXY"] or "127.0.0.1, ::1"),
        )


def default_data_dir(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """The platform's folder for data that stays on this computer. BadSetting when the home folder is unknown.

    Source: the XDG Base Directory Specification for Linux (a relative XDG_DATA_HOME is to be ignored); the local, never
    the roaming, application data on Windows.
    """
    if platform == "win32":
        local = environ.get("LOCALAPPDATA", "")
        base = Path(local) if local else _home(environ) / "AppData" / "Local"
    elif platform == "darwin":
        base = _home(environ) / "Library" / "Application Support"
    else:
        xdg = environ.get("XDG_DATA_HOME", "")
        base = Path(xdg) if xdg.startswith("/") else _home(environ) / ".local" / "share"
    return base / APPLICATION_FOLDER


# How the folders of each service begin, in small letters. "My Drive" is what Google Drive shows as a disk of its own.
_SYNCED = {
    "OneDrive": ("onedrive",),
    "iCloud": ("mobile documents", "iclouddrive", "icloud drive", "com~apple~clouddocs"),
    "Dropbox": ("dropbox",),
    "Google Drive": ("googledrive", "google drive", "my drive"),
    "Nextcloud": ("nextcloud",),
}


def data_dir_looks_synced(path: Path) -> str | None:
    """The service that seems to copy this folder elsewhere, "OneDrive" for example, or None.

    Judged by the names in the path, as given and with links followed: good for a warning, not for a refusal. It matters
    because a copied key file would outlive the destruction of its keys.
    """
    for part in re.split(r"[\\/]", f"{path}/{path.resolve()}".lower()):
        for service, beginnings in _SYNCED.items():
            if any(re.match(rf"{re.escape(beginning)}(?![a-z0-9])", part) for beginning in beginnings):
                return service
    return None


# The names are not our own namespace: HOST, PORT and DATABASE_URL are what every host and tutorial sets. So a slip can
# only be told from a stranger's variable by its likeness, and only where likeness means something:
# - another case of any of our names (Windows knows one case only, so it never happens there);
# - one edit, in the names of eight letters or more. HOST and PORT are left out: POST, HOSTS, PORTS or PORT0 are one
#   letter away and belong to others.
# - never the names below, which others really use.
_WELL_KNOWN = frozenset({"DATADIR", "DATA_DIRS"})
_LONG = 8


def _meant(name: str) -> str | None:
    """The setting that this name is a slip of, or None for a setting and for everybody else's variables."""
    if name in SETTINGS_HELP or name in _WELL_KNOWN:
        return None
    capitals = name.upper()
    if capitals in SETTINGS_HELP:
        return capitals
    return next((ours for ours in SETTINGS_HELP if len(ours) >= _LONG and _one_edit(capitals, ours)), None)


def _one_edit(one: str, other: str) -> bool:
    """Whether one letter more, less, or other, or two neighbours exchanged, makes one text of the other."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    left, right = short[start:], long[start:]
    if len(left) < len(right):
        return left == right[1:]
    return left[1:] == right[1:] or (left[:2] == right[:2][::-1] and left[2:] == right[2:])


def _refusal(name: str, given: str, accepted: str) -> BadSetting:
    return BadSetting(f"{name} is “{given}”. Accepted: {accepted}.")


def _host(given: str) -> str:
    if given in ("", "localhost"):
        return given or "0.0.0.0"  # noqa: S104 - phones in the room must reach it
    # No other names: some shells export HOST as the computer's own name, which often means this computer alone, and
    # then no phone gets in and nobody sees why.
    try:
        ip_address(given)
    except ValueError:
        raise _refusal(
            "HOST", given, "an IP address of this computer such as 0.0.0.0 or 127.0.0.1, or localhost"
        ) from None
    return given


def _port(given: str) -> int:
    if not given:
        return 8000
    if not re.fullmatch(r"[0-9]{1,5}", given) or not 1 <= int(given) <= 65535:
        raise _refusal("PORT", given, "a whole number from 1 to 65535")
    return int(given)


def _data_dir(given: str, environ: Mapping[str, str]) -> Path:
    if not given:
        return default_data_dir(environ)
    if given == "~" or given.startswith(("~/", "~\\")):
        return (_home(environ) / given[2:]).absolute()
    if given.startswith("~"):
        raise _refusal("DATA_DIR", given, "the path of a folder; ~ stands for your own home folder only")
    return Path(given).absolute()


def _home(environ: Mapping[str, str]) -> Path:
    known = environ.get("USERPROFILE" if sys.platform == "win32" else "HOME", "")
    try:
        return Path(known) if known else Path.home()
    except RuntimeError:
        raise BadSetting(
            "DATA_DIR is not set, and the home folder is not known. Set DATA_DIR to the path of a folder."
        ) from None


def _sqlite_url(path: Path) -> str:
    # SQLAlchemy takes the path for a quoted one and ends it at a question mark.
    return "sqlite:///" + path.as_posix().replace("%", "%25").replace("?", "%3F")


def _database_url(given: str) -> str:
    if not given:
        return ""
    if given.startswith("postgres://"):
        raise BadSetting("DATABASE_URL begins with “postgres://”. Accepted: “postgresql://”, with the rest as it is.")
    return _with_scheme("DATABASE_URL", given, ("postgresql://", "postgresql+psycopg://"))


def _redis_url(given: str) -> str:
    if not given:
        return ""
    url = _with_scheme("REDIS_URL", given, ("redis://", "rediss://"))
    if not urlsplit(url).hostname:
        raise BadSetting("REDIS_URL names no computer. Accepted: an address such as redis://127.0.0.1:6379/0.")
    return url


def _with_scheme(name: str, given: str, schemes: tuple[str, str]) -> str:
    accepted = f"Accepted: an address that begins with “{schemes[0]}” or “{schemes[1]}”, or nothing"
    if not given.startswith(schemes):
        # Only the beginning is repeated, because the rest may hold a password.
        scheme, found, _ = given.partition("://")
        begins = f"begins with “{scheme}://”" if found else "is not an address"
        raise BadSetting(f"{name} {begins}. {accepted}.")
    if _split(given) is None:
        raise BadSetting(f"{name} has a host or port that cannot be read. {accepted}.")
    return given


def _public_url(given: str) -> str:
    if not given:
        return ""
    parts = _split(given)
    # A lone slash at the end is what browsers copy, and means the same address.
    if (
        parts is None
        or parts.scheme not in ("http", "https")
        or not re.fullmatch(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*", parts.hostname or "")
        or parts.port == 0
        or "@" in given
        or not re.fullmatch(r"[^/?#\s]+://[^/?#\s]+/?", given)
    ):
        shown = given if "@" not in given else given.partition("://")[0] + "://…"
        raise _refusal(
            "PUBLIC_URL", shown, "http:// or https://, a name and, if need be, a port, such as https://vote.example.org"
        )
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{name}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _split(given: str) -> SplitResult | None:
    """The parts of an address, or None when its host or port cannot be read."""
    try:
        parts = urlsplit(given)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return None
    return parts


def _open_browser(given: str) -> bool:
    if given not in ("", "0", "1"):
        raise _refusal("OPEN_BROWSER", given, "1 to open a browser at the start, 0 not to")
    return given != "0"


def _log_requests(given: str) -> bool:
    if given not in ("", "0", "1"):
        raise _refusal("LOG_REQUESTS", given, "1 to write a line for each request, 0 not to")
    return given == "1"


def _trusted_proxy(given: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(one.strip()) for one in given.split(","))
    except ValueError:
        accepted = "addresses or networks with commas between them, such as 10.0.0.7 or 10.0.0.0/8"
        raise _refusal("TRUSTED_PROXY", given, accepted) from None
