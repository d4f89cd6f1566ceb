#!/bin/sh
# The tests drive a real browser, a real PostgreSQL and a real LibreOffice, and compile what stands between the program
# and its disk; none of these comes from Python's package index.
# Root on a system with apt-get gets what is missing; anyone else is told what to install.
# With the word "long" also what only the long tests need: two more browsers, and a screen to draw one of them on.
set -eu

has_chromium() {
    if [ -n "${CHROMIUM:-}" ]; then
        command -v "$CHROMIUM" >/dev/null
        return
    fi
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null; then return 0; fi
    done
    return 1
}

has_postgresql() {
    if command -v initdb >/dev/null && command -v pg_ctl >/dev/null; then return 0; fi
    # Debian keeps the server's programs off the path, a folder for each version.
    for initdb in "${POSTGRESQL_FOLDER:-/usr/lib/postgresql}"/*/bin/initdb; do
        if [ -x "$initdb" ]; then return 0; fi
    done
    return 1
}

# Documents are opened with Writer and tables with Calc; both parts of LibreOffice are needed.
has_office() {
    soffice=$(command -v soffice || command -v libreoffice) || return 1
    # Debian splits LibreOffice into packages beside one folder of programs; elsewhere it comes whole.
    folder=$(dirname "$(readlink -f "$soffice")")
    [ ! -e /etc/debian_version ] || { [ -e "$folder/libswlo.so" ] && [ -e "$folder/libsclo.so" ]; }
}

has_compiler() {
    [ "$(uname)" != Linux ] || command -v cc >/dev/null || command -v gcc >/dev/null
}

if [ -n "${CHROMIUM:-}" ] && ! has_chromium; then
    echo "CHROMIUM names $CHROMIUM, which cannot be run: correct it, or unset it to use the system's Chromium." >&2
    exit 1
fi

has_command() {
    command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || [ -x "/usr/local/sbin/$1" ]
}

packages=""
has_chromium || packages="$packages chromium"
has_postgresql || packages="$packages postgresql"
has_office || packages="$packages libreoffice-writer-nogui libreoffice-calc-nogui"
has_command nginx || packages="$packages nginx-light"
has_command redis-server || packages="$packages redis-server"
has_compiler || packages="$packages gcc libc6-dev"
if [ "${1:-}" = long ] && [ "$(uname)" = Linux ]; then
    has_command firefox-esr || has_command firefox || packages="$packages firefox-esr"
    has_command WebKitWebDriver || packages="$packages webkit2gtk-driver"
    has_command Xvfb || packages="$packages xvfb"
fi
[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    # shellcheck disable=SC2086 # one word for each package
    apt-get install -y --no-install-recommends $packages
    exit 0
fi

for package in $packages; do
    case $package in
    chromium)
        echo "Chromium is missing: install it (on Debian or Ubuntu, the package chromium), or set CHROMIUM to its path." >&2
        ;;
    gcc)
        echo "A C compiler is missing: install one (on Debian or Ubuntu, the packages gcc and libc6-dev)." >&2
        ;;
    firefox-esr | webkit2gtk-driver | xvfb | nginx-light | redis-server)
        echo "$package is missing: install it (on Debian or Ubuntu, the package $package)." >&2
        ;;
    postgresql)
        echo "PostgreSQL's server programs are missing: install them (on Debian or Ubuntu, the package postgresql)." >&2
        ;;
    libreoffice-writer-nogui)
        echo "LibreOffice is missing: install it with Writer and Calc, so that soffice is on the path." >&2
        ;;
    esac
done
exit 1
