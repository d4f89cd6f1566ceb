"""Where phones reach this machine: its own addresses, looked up afresh, because a laptop moves between networks."""

from __future__ import annotations

import socket
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import psutil

from facilitation.config import Settings
from facilitation.errors import Refused
from facilitation.language import _

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - the values of HOST that mean every network this machine is in
# Interfaces of virtual machines and containers: no phone is ever on them.
_INWARD = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "vethernet", "utun", "tailscale", "zt", "wg")


def lan_addresses() -> list[str]:
    """The IPv4 addresses phones could use, most likely first; empty without a network.

    The one that faces the rest of the world comes first, then the others that are up. No name server is asked: without
    internet that can take many seconds.
    """
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        IPv4Address(address.address)
        for name, addresses in psutil.net_if_addrs().items()
        if name in up and not name.lower().startswith(_INWARD)
        for address in addresses
        if address.family == socket.AF_INET
    ]
    usable = [str(address) for address in found if not address.is_loopback and not address.is_link_local]
    outward = _facing_outward()
    return sorted(dict.fromkeys(usable), key=lambda address: address != outward)


def _facing_outward() -> str | None:
    """The address the kernel would use towards the internet. A datagram socket that only connects sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def own_hosts(settings: Settings) -> set[str]:
    """Every host name under which this program may be asked for: a request that names another one is refused."""
    name = socket.gethostname().lower()
    hosts = {"localhost", "127.0.0.1", "[::1]", name, f"{name}.local", *lan_addresses()}
    if settings.host not in EVERYWHERE:
        hosts.add(_bracketed(settings.host))
    if settings.public_url:
        hosts.add((urlsplit(settings.public_url).hostname or "").lower())
    return hosts


def is_this_machine(address: str) -> bool:
    """Whether a request from this address never left this machine."""
    try:
        named = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(named, IPv6Address) and named.ipv4_mapped:
        named = named.ipv4_mapped
    own = (one.address.partition("%")[0] for addresses in psutil.net_if_addrs().values() for one in addresses)
    return named.is_loopback or str(named) in own


def join_origin(settings: Settings, port: int, chosen: str = "") -> str:
    """Where phones join: PUBLIC_URL, or the one address HOST names, or this machine's present one on the network, which
    is `chosen` while it has that."""
    if settings.public_url:
        return settings.public_url
    host = _bracketed(settings.host)
    if settings.host in EVERYWHERE:
        here = lan_addresses()
        host = chosen if chosen in here else next(iter(here), "127.0.0.1")
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


class JoinAddress:
    """Where phones join, looked up again every few seconds: a laptop moves to another network without telling us.

    Of several addresses the facilitator may choose one; the choice holds until the program ends, and while the machine
    has that address.
    """

    def __init__(self, settings: Settings, port: int, seconds: float = 5.0) -> None:
        self._settings, self._port, self._seconds = settings, port, seconds
        self._chosen = ""
        self._found = ""
        self._looked = float("-inf")

    def __call__(self) -> str:
        """The origin: http://192.168.1.20:8000."""
        if time.monotonic() - self._looked > self._seconds:
            self._found = join_origin(self._settings, self._port, self._chosen)
            self._looked = time.monotonic()
        return self._found

    def choices(self) -> list[tuple[str, bool]]:
        """The addresses to choose from, and which one is used; empty where there is nothing to choose."""
        if self._settings.public_url or self._settings.host not in EVERYWHERE:
            return []
        return [(address, urlsplit(self()).hostname == address) for address in lan_addresses()]

    def choose(self, address: str) -> None:
        """Use this one of the addresses. Raises Refused when the machine does not have it, or not any more."""
        if address not in (known for known, _used in self.choices()):
            raise Refused(_("This computer does not have that address any more. Choose one of those it has now."))
        self._chosen, self._looked = address, float("-inf")


def keeps_to_itself(settings: Settings) -> bool:
    """Whether HOST is an address that only this machine can reach, with nothing in front of it."""
    loopback = settings.host == "localhost" or ip_address(settings.host).is_loopback
    return loopback and not settings.public_url


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
