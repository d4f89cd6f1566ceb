"""Where phones reach this machine: its own addresses, looked up afresh, because a laptop moves between networks."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, ip_address
from urllib.parse import urlsplit

import psutil

from facilitation.config import Settings

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


def join_origin(settings: Settings, port: int) -> str:
    """Where phones join: PUBLIC_URL, or the one address HOST names, or this machine's present one on the network."""
    if settings.public_url:
        return settings.public_url
    host = _bracketed(settings.host)
    if settings.host in EVERYWHERE:
        host = next(iter(lan_addresses()), "127.0.0.1")
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def keeps_to_itself(settings: Settings) -> bool:
    """Whether HOST is an address that only this machine can reach, with nothing in front of it."""
    loopback = settings.host == "localhost" or ip_address(settings.host).is_loopback
    return loopback and not settings.public_url


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
