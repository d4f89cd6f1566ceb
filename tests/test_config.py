"""Settings: sound ones are taken, odd ones refused in a sentence, other people's variables left in peace."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from facilitation.config import SETTINGS_HELP, Settings, data_dir_looks_synced, default_data_dir
from facilitation.errors import BadSetting

HOME = {"HOME": "/home/freya", "USERPROFILE": "/home/freya"}


def settings(**environ: str) -> Settings:
    """The settings of Freya's computer with these variables set."""
    return Settings.from_environment({**HOME, **environ})


def refusal(**environ: str) -> str:
    """The sentence with which these variables are refused."""
    with pytest.raises(BadSetting) as caught:
        settings(**environ)
    return caught.value.sentence


def test_with_nothing_set_the_program_listens_to_the_room_and_keeps_its_data_at_home() -> None:
    found = settings(DATA_DIR="/srv/hallmarks")
    assert (found.host, found.port, found.open_browser) == ("0.0.0.0", 8000, True)
    assert (found.redis_url, found.public_url, found.hosted) == ("", "", False)
    assert make_url(found.database_url).database == Path("/srv/hallmarks/workshop.db").absolute().as_posix()


def test_every_setting_is_explained_and_every_explanation_is_of_a_setting() -> None:
    assert [field.name.upper() for field in fields(Settings)] == list(SETTINGS_HELP)
    assert all(re.fullmatch(r"[A-Z0-9].{30,}\.", text) for text in SETTINGS_HELP.values())


def test_an_empty_value_means_the_default() -> None:
    assert settings(**dict.fromkeys(SETTINGS_HELP, "")) == settings() == settings(**dict.fromkeys(SETTINGS_HELP, " "))


def test_the_proxy_that_is_believed_is_this_computer_or_what_is_named() -> None:
    assert [str(network) for network in settings().trusted_proxy] == ["127.0.0.1/32", "::1/128"]
    named = settings(TRUSTED_PROXY="10.0.0.7, fd00::/8").trusted_proxy
    assert [str(network) for network in named] == ["10.0.0.7/32", "fd00::/8"]


@pytest.mark.parametrize("given", ["proxy.example", "10.0.0.7/8", "10.0.0.7,", "*"])
def test_a_proxy_that_is_no_address_is_refused(given: str) -> None:
    accepted = "addresses or networks with commas between them, such as 10.0.0.7 or 10.0.0.0/8"
    assert refusal(TRUSTED_PROXY=given) == f"TRUSTED_PROXY is “{given}”. Accepted: {accepted}."


def test_settings_do_not_change_after_the_start() -> None:
    with pytest.raises(FrozenInstanceError):
        settings().port = 1  # type: ignore[misc]


def test_passwords_stay_out_of_what_a_log_would_show() -> None:
    found = settings(DATABASE_URL="postgresql://freya:hunter2@db/w", REDIS_URL="redis://:hunter2@cache/0")
    assert "hunter2" in found.database_url
    assert "hunter2" in found.redis_url
    assert "hunter2" not in repr(found)


# ---- HOST, PORT, OPEN_BROWSER


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.1.20", "::", "::1", "localhost"])
def test_an_address_of_this_computer_is_taken(host: str) -> None:
    assert settings(HOST=host).host == host


@pytest.mark.parametrize(
    "host", ["freyas-laptop", "x86_64-conda-linux-gnu", "0.0.0.0:8000", "http://0.0.0.0", "300.1.1.1"]
)
def test_a_name_that_a_shell_may_have_left_in_host_is_refused(host: str) -> None:
    sentence = refusal(HOST=host)
    assert sentence == (
        f"HOST is “{host}”. Accepted: an IP address of this computer such as 0.0.0.0 or 127.0.0.1, or localhost."
    )


@given(st.integers(1, 65535))
def test_every_port_is_taken_also_with_the_blank_that_windows_leaves(port: int) -> None:
    assert settings(PORT=str(port)).port == settings(PORT=f"{port} ").port == port


@pytest.mark.parametrize(
    "port", ["0", "65536", "-1", "80a", "8_000", "8000.0", "٨٠", "tcp://10.0.0.1:80", "99999999999"]
)
def test_what_is_no_port_is_refused(port: str) -> None:
    assert refusal(PORT=port) == f"PORT is “{port}”. Accepted: a whole number from 1 to 65535."


def test_the_browser_is_opened_or_not() -> None:
    assert settings(OPEN_BROWSER="1").open_browser
    assert not settings(OPEN_BROWSER="0").open_browser
    assert refusal(OPEN_BROWSER="no") == "OPEN_BROWSER is “no”. Accepted: 1 to open a browser at the start, 0 not to."


# ---- DATA_DIR


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {}, "/home/freya/.local/share"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data"),
        ("linux", {"XDG_DATA_HOME": "data"}, "/home/freya/.local/share"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/home/freya/Library/Application Support"),
        ("win32", {"LOCALAPPDATA": "/local", "APPDATA": "/roaming"}, "/local"),
        ("win32", {}, "/home/freya/AppData/Local"),
    ],
)
def test_data_goes_to_the_local_folder_of_each_platform(platform: str, environ: dict[str, str], folder: str) -> None:
    found = default_data_dir({**HOME, **environ}, platform)
    assert found == Path(folder, "hallmarks-workshop")
    assert data_dir_looks_synced(found) is None


def test_a_home_folder_that_nobody_knows_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nobody)
    with pytest.raises(BadSetting, match="Set DATA_DIR to the path of a folder"):
        Settings.from_environment({})
    assert Settings.from_environment({"DATA_DIR": "/data"}).data_dir == Path("/data").absolute()


def test_a_folder_is_made_absolute_and_a_tilde_is_home() -> None:
    assert settings(DATA_DIR="data").data_dir == Path.cwd() / "data"
    assert settings(DATA_DIR="~/data").data_dir == Path("/home/freya/data").absolute()
    assert settings(DATA_DIR="~").data_dir == Path("/home/freya").absolute()
    assert "your own home folder only" in refusal(DATA_DIR="~ben/data")


@pytest.mark.parametrize("folder", ["/a b/ü", "/100%/x", "/what?/x", "/a%20b", "/a#b", "/a@b:c"])
def test_the_database_lies_in_the_folder_whatever_its_name(folder: str) -> None:
    lies = make_url(settings(DATA_DIR=folder).database_url).database
    assert lies == Path(folder, "workshop.db").absolute().as_posix()


@pytest.mark.parametrize(
    ("path", "service"),
    [
        (r"C:\Users\Freya\OneDrive\hallmarks", "OneDrive"),
        (r"C:\Users\Freya\OneDrive - Museum of Bread\Documents", "OneDrive"),
        ("/Users/freya/Library/CloudStorage/OneDrive-Personal/x", "OneDrive"),
        ("/Users/freya/Library/Mobile Documents/com~apple~CloudDocs/x", "iCloud"),
        (r"C:\Users\Freya\iCloudDrive", "iCloud"),
        ("/home/freya/Dropbox (Museum)/x", "Dropbox"),
        ("/Users/freya/Library/CloudStorage/GoogleDrive-freya@example.org/My Drive", "Google Drive"),
        (r"G:\My Drive\hallmarks", "Google Drive"),
        ("/home/freya/Google Drive", "Google Drive"),
        ("/home/freya/Nextcloud/x", "Nextcloud"),
        ("/home/freya/.local/share/hallmarks-workshop", None),
        (r"C:\Users\Freya\AppData\Local\hallmarks-workshop", None),
        ("/home/freya/onedriver/dropboxes/not-dropbox", None),
    ],
)
def test_a_synced_folder_is_known_by_its_name(path: str, service: str | None) -> None:
    assert data_dir_looks_synced(Path(path)) == service


def test_a_link_into_a_synced_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "Dropbox").mkdir()
    try:
        (tmp_path / "data").symlink_to(tmp_path / "Dropbox")
    except OSError:
        pytest.skip("this account may not make links")
    assert data_dir_looks_synced(tmp_path / "data") == "Dropbox"


# ---- DATABASE_URL, REDIS_URL


@pytest.mark.parametrize(
    "url", ["postgresql://freya:pw@db:5432/w", "postgresql+psycopg://db/w?sslmode=require", "postgresql:///w"]
)
def test_postgresql_is_taken_as_it_was_written(url: str) -> None:
    assert settings(DATABASE_URL=url).database_url == url


def test_the_old_spelling_of_postgresql_is_refused_with_the_right_one() -> None:
    sentence = refusal(DATABASE_URL="postgres://freya:hunter2@db/w")
    assert sentence == "DATABASE_URL begins with “postgres://”. Accepted: “postgresql://”, with the rest as it is."


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
@pytest.mark.parametrize(
    ("url", "given"),
    [
        ("mysql://freya:hunter2@db/w", "begins with “mysql://”"),
        ("sqlite:////data/w.db", "begins with “sqlite://”"),
        ("freya:hunter2@db/w", "is not an address"),
    ],
)
def test_another_kind_of_address_is_refused_without_repeating_its_password(name: str, url: str, given: str) -> None:
    sentence = refusal(**{name: url})
    assert sentence.startswith(f"{name} {given}. Accepted: an address that begins with “")
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABASE_URL": "postgresql://freya:hunter2@db:port/w"},
        {"DATABASE_URL": "postgresql://freya:hunter2@[db/w"},
        {"REDIS_URL": "redis://:hunter2@cache:99999"},
        {"REDIS_URL": "redis://:hunter2@:6379"},
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(environ: dict[str, str]) -> None:
    sentence = refusal(**environ)
    assert next(iter(environ)) in sentence
    assert "Accepted: " in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "rediss://:pw@cache.example.org:6380"])
def test_redis_is_taken_plain_and_encrypted(url: str) -> None:
    assert settings(REDIS_URL=url).redis_url == url


# ---- PUBLIC_URL


@pytest.mark.parametrize(
    ("given", "kept", "hosted"),
    [
        ("https://vote.example.org", "https://vote.example.org", True),
        ("HTTPS://Vote.Example.org:443/", "https://vote.example.org", True),
        ("https://vote.example.org:8443", "https://vote.example.org:8443", True),
        ("http://museum.lan:8000", "http://museum.lan:8000", False),
        ("http://192.168.1.20:80", "http://192.168.1.20", False),
        ("http://[fd00::1]:8000", "http://[fd00::1]:8000", False),
        ("http://https.example.org", "http://https.example.org", False),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_an_origin(given: str, kept: str, hosted: bool) -> None:
    found = settings(PUBLIC_URL=given)
    assert (found.public_url, found.hosted) == (kept, hosted)


@pytest.mark.parametrize(
    "url",
    [
        "vote.example.org",
        "//vote.example.org",
        "ftp://vote.example.org",
        "https://",
        "https:///vote",
        "https://vote.example.org/join",
        "https://vote.example.org//",
        "https://vote.example.org?x=1",
        "https://vote.example.org#x",
        "https://vote.example.org:0",
        "https://vote.example.org:port",
        "https://vote example.org",
        "https://vote\nexample.org",
        "https://müseum.example",
        "https://*.example.org",
        "https://[vote]",
    ],
)
def test_a_public_address_with_more_or_less_than_scheme_name_and_port_is_refused(url: str) -> None:
    sentence = refusal(PUBLIC_URL=url)
    assert sentence.startswith(f"PUBLIC_URL is “{url}”. Accepted: http:// or https://, a name and")


def test_a_public_address_with_a_password_is_refused_without_repeating_it() -> None:
    assert refusal(PUBLIC_URL="https://freya:hunter2@vote.example.org").startswith("PUBLIC_URL is “https://…”.")


# ---- names that are nearly ours


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABAES_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("database_url", "DATABASE_URL"),
        ("DATBASE_url", "DATABASE_URL"),
        ("Port", "PORT"),
        ("host", "HOST"),
        ("PUBLIC_URI", "PUBLIC_URL"),
        ("PUBLICURL", "PUBLIC_URL"),
        ("DATA_DIRR", "DATA_DIR"),
        ("REDIS-URL", "REDIS_URL"),
        ("OPEN_BROWSERS", "OPEN_BROWSER"),
        ("OPEN_BROSWER", "OPEN_BROWSER"),
    ],
)
def test_a_slip_in_a_name_is_refused_with_the_name_that_was_meant(slip: str, meant: str) -> None:
    assert refusal(**{slip: "1"}) == f"The environment sets {slip}, which is not a setting. Did you mean {meant}?"


@given(st.sampled_from([name for name in SETTINGS_HELP if len(name) >= 8]), st.data())
def test_one_letter_left_out_of_a_long_name_is_always_noticed(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    slip = name[:at] + name[at + 1 :]
    if slip != "DATADIR":  # others use this one
        assert refusal(**{slip: "x"}).endswith(f"Did you mean {name}?")


# fmt: off
ORDINARY = [
    "PATH", "HOME", "HOSTNAME", "HOSTTYPE", "HOSTS", "PORTS", "POST", "PORT0", "PORT1", "PORT_0", "OPENER",
    "BROWSER", "USER", "USERNAME", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TZ", "PWD", "OLDPWD", "TMPDIR",
    "TEMP", "TMP", "EDITOR", "VISUAL", "PAGER", "DISPLAY", "DATADIR", "DATA_DIRS", "DATA", "DATA_HOME", "PGDATA",
    "PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "XDG_DATA_DIRS", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "REDIS_HOST",
    "REDIS_PORT", "REDIS_TLS_URL", "REDIS_PRIVATE_URL", "REDIS_PUBLIC_URL", "REDISCLOUD_URL", "DATABASE",
    "DATABASE_HOST", "DATABASE_NAME", "DATABASE_PUBLIC_URL", "DATABASE_PRIVATE_URL", "DATABASE_POOL_URL",
    "MYSQL_URL", "PUBLIC", "PUBLIC_DIR", "PUBLIC_HOST", "PUBLIC_IP", "PUBLIC_DOMAIN", "APPDATA", "LOCALAPPDATA",
    "PROGRAMDATA", "COMPUTERNAME", "SystemRoot", "ComSpec", "OneDrive", "Path", "windir", "OS", "PATHEXT",
    "PROCESSOR_ARCHITECTURE", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONUNBUFFERED", "CONDA_PREFIX", "CI",
    "GITHUB_TOKEN", "KUBERNETES_PORT", "KUBERNETES_SERVICE_HOST", "DOCKER_HOST", "GUNICORN_CMD_ARGS",
    "WEB_CONCURRENCY", "SECRET_KEY", "FLASK_APP", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy",
    "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "_", "SHLVL", "COLORTERM", "GPG_TTY", "INVOCATION_ID",
    "JOURNAL_STREAM", "npm_config_host", "npm_config_port", "MY_PORT", "MY_DATABASE_URL",
    "SQLALCHEMY_DATABASE_URI",
]
# fmt: on


@pytest.mark.parametrize("name", ORDINARY)
def test_the_variables_of_other_programs_never_stop_this_one(name: str) -> None:
    assert settings(**{name: HOME.get(name, "/something")}).port == 8000
