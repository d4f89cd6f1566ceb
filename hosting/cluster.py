"""Several workers on one machine: `python -m hosting.cluster`, or `make run-cluster`.

Starts PostgreSQL, Redis, the workers and nginx, all unprivileged, all in one folder, all on loopback but nginx if told
so, and stops them together. nginx sends everybody of one session to the same worker, by the join code. A worker or
Redis that ends is started again. It shows how the parts fit, and the tests run it; docs/hosting.md says how to run them
as services of their own.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql")  # a folder for each version, off the path
PATIENCE = 60.0  # seconds in which each part must have started

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx/pid;
error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;  # who voted when is nobody's business
    client_body_temp_path {folder}/nginx/body;
    proxy_temp_path {folder}/nginx/proxy;
    fastcgi_temp_path {folder}/nginx/fastcgi;
    uwsgi_temp_path {folder}/nginx/uwsgi;
    scgi_temp_path {folder}/nginx/scgi;
    # The join code: in the path of a page, in the query of a live connection.
    map $uri $room {{ "~^/(?:w|s|f|sessions)/([0-9]{{6}})" $1; default $arg_r; }}
    map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
    upstream rooms {{
        hash $room consistent;
{servers}
        keepalive 64;
    }}
    server {{
        listen {listen} backlog=4096;
        client_max_body_size 256k;
        location / {{
            proxy_pass http://rooms;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_buffering off;
            proxy_connect_timeout 2s;
            proxy_read_timeout 60s;
        }}
    }}
}}
"""

POSTGRESQL = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 200
"""


class Part:
    """One program of the cluster. `ready` says whether it answers; output goes to a file beside its data."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        ready: Callable[[], bool],
        *,
        user: int | None = None,
        settings: Mapping[str, str] | None = None,
        stop_by: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name, self.log = name, log
        self._command, self._ready, self._user, self._stop_by = list(map(str, command)), ready, user, stop_by
        self._settings = {**os.environ, **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. RuntimeError with what it said if it does not."""
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._settings, user=self._user, stdin=subprocess.DEVNULL, stdout=said,
                stderr=said, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(
                    f"{self.name} did not start. It said:\n{self.log.read_text(errors='replace')[-3000:]}"
                )
            time.sleep(0.02)

    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ask it to stop, and end it if it does not."""
        if self.process is not None and self.runs():
            self.process.send_signal(self._stop_by)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None and self.runs():
            self.process.kill()
            self.process.wait()


class Cluster:
    """All parts, in one folder. port: where nginx listens; a free one if None. Everything else takes free ports."""

    def __init__(self, folder: Path, workers: int = 2, port: int | None = None, host: str = "127.0.0.1") -> None:
        self.folder = folder.resolve()
        self.port = port or free_port()
        self.origin = f"http://{host}:{self.port}"
        self.data = self.folder / "data"
        for name in ("postgres", "redis", "nginx", "data"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.redis_port = free_port()
        self.postgres = self._postgres()
        self.redis = self._redis()
        self.workers = [self._worker(number, free_port()) for number in range(workers)]
        self.nginx = self._nginx(host)

    @property
    def database_url(self) -> str:
        """Where the sessions are."""
        return f"postgresql://workshop@/postgres?host={self.folder / 'postgres'}"

    @property
    def parts(self) -> list[Part]:
        """All parts, each after those it needs."""
        return [self.postgres, self.redis, *self.workers, self.nginx]

    def start(self) -> None:
        """Start everything, a part at a time: one worker brings the tables up to date, the next finds them so."""
        for part in self.parts:
            part.start()

    def stop(self) -> None:
        """Stop everything, the last first."""
        for part in reversed(self.parts):
            part.stop()

    def watch(self, until: threading.Event) -> None:
        """Start again what has ended, until told otherwise."""
        while not until.wait(0.2):
            for part in self.parts:
                if not part.runs():
                    print(f"{part.name} has ended and is started again.", flush=True)
                    part.start()

    def link(self) -> str:
        """The newest facilitator link, as an address; each worker has one."""
        said = self.workers[-1].log.read_text(errors="replace")
        return said.rpartition("Facilitator link: ")[2].partition("\n")[0].strip()

    def worker_origin(self, number: int) -> str:
        """Where one worker listens itself, past nginx."""
        return f"http://127.0.0.1:{self._worker_ports[number]}"

    def _postgres(self) -> Part:
        folder, programs = self.folder / "postgres", _postgres_programs()
        owner = _ordinary_user() if os.geteuid() == 0 else None  # it refuses to be root's
        if owner is not None:
            os.chown(folder, owner, -1)
            self.folder.chmod(0o711)  # it must be able to enter its folder
        data = folder / "data"
        if not data.exists():
            made = subprocess.run(
                [programs / "initdb", "--auth=trust", "--username=workshop", "--encoding=UTF8", "--no-locale", data],
                user=owner, cwd="/", capture_output=True, text=True,
            )  # fmt: skip
            if made.returncode:
                raise RuntimeError(f"initdb failed:\n{made.stderr}")
            with (data / "postgresql.conf").open("a") as settings:
                settings.write(POSTGRESQL.format(folder=folder))
        ask = [programs / "pg_isready", "-q", "-h", folder, "-U", "workshop"]
        return Part(
            "PostgreSQL", [programs / "postgres", "-D", data], folder / "log", user=owner, stop_by=signal.SIGINT,
            ready=lambda: subprocess.run(ask, check=False).returncode == 0,
        )  # fmt: skip

    def _redis(self) -> Part:
        command = [
            _needed("redis-server"), "--bind", "127.0.0.1", "--port", str(self.redis_port), "--save", "",
            "--appendonly", "no", "--dir", self.folder / "redis",
        ]  # fmt: skip
        return Part("Redis", command, self.folder / "redis" / "log", ready=lambda: listens(self.redis_port))

    def _worker(self, number: int, port: int) -> Part:
        if not hasattr(self, "_worker_ports"):
            self._worker_ports: list[int] = []
        self._worker_ports.append(port)
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATA_DIR": str(self.data),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "PUBLIC_URL": self.origin,
            "OPEN_BROWSER": "0",
            "PYTHONUNBUFFERED": "1",
        }
        log = self.data / f"worker-{number + 1}.log"
        return Part(
            f"Worker {number + 1}", [sys.executable, "app.py"], log, ready=lambda: listens(port), settings=settings
        )

    def _nginx(self, host: str) -> Part:
        folder = self.folder / "nginx"
        servers = "\n".join(
            f"        server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;" for port in self._worker_ports
        )
        configuration = folder / "nginx.conf"
        configuration.write_text(
            NGINX.format(folder=self.folder, servers=servers, listen=f"{host}:{self.port}"), encoding="utf-8"
        )
        command = [_needed("nginx"), "-e", folder / "log", "-p", folder, "-c", configuration]
        return Part("nginx", command, folder / "log", ready=lambda: listens(self.port))


def listens(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _needed(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed; on Debian or Ubuntu it is the package {name}.")
    return found


def _postgres_programs() -> Path:
    versions = [folder for folder in DEBIAN_POSTGRESQL.glob("*/bin") if (folder / "initdb").exists()]
    if versions:
        return max(versions, key=lambda folder: float(folder.parent.name))
    found = shutil.which("initdb")
    if found is None:
        raise RuntimeError("PostgreSQL is not installed; on Debian or Ubuntu it is the package postgresql.")
    return Path(found).resolve().parent


def _ordinary_user() -> int:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no user postgres or nobody here.")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: run until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m hosting.cluster", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=ROOT / ".cluster", help="where everything is kept")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--host", default="127.0.0.1", help="the address of this computer that phones use")
    chosen = parser.parse_args(arguments)
    stopped = threading.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: stopped.set())
    try:
        cluster = Cluster(chosen.folder, chosen.workers, chosen.port, chosen.host)
    except RuntimeError as why:
        print(why, file=sys.stderr)
        return 2
    try:
        cluster.start()
        print(f"{chosen.workers} workers behind {cluster.origin}\nFacilitator link: {cluster.link()}", flush=True)
        cluster.watch(stopped)
    except RuntimeError as why:
        print(why, file=sys.stderr)
        return 1
    finally:
        cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
