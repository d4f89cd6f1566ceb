"""Where phones reach this machine: its own addresses, looked up afresh, because a laptop moves between networks."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from facilitation.config import Settings

# The kernel chooses the address it would use towards each of these; a datagram socket that only connects sends nothing.
_DIRECTIONS = ("10.255.255.255", "192.168.255.255", "172.31.255.255", "8.8.8.8")


def lan_addresses() -> list[str]:
    """The IPv4 addresses phones could use, most likely first; empty without a network."""
    found = [_towards(direction) for direction in _DIRECTIONS]
    try:
        found += [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    except OSError:
        pass
    seen = dict.fromkeys(address for address in found if address and not ipaddress.ip_address(address).is_loopback)
    return list(seen)


def _towards(address: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
            return str(probe.getsockname()[0])
        except OSError:
            return None


def own_hosts(settings: Settings) -> set[str]:
    """Every host name under which this program may be asked for: a request that names another one is refused."""
    name = socket.gethostname().lower()
    hosts = {"localhost", "127.0.0.1", "[::1]", name, f"{name}.local", *lan_addresses()}
    if settings.public_url:
        hosts.add((urlsplit(settings.public_url).hostname or "").lower())
    return hosts


def join_origin(settings: Settings, port: int) -> str:
    """Where phones join: PUBLIC_URL if it is set, else this machine's present address on the network."""
    if settings.public_url:
        return settings.public_url
    host = next(iter(lan_addresses()), "127.0.0.1")
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"
