#!/bin/sh
# ./hmi.sh ANYTHING      hmi ANYTHING, in a private environment beside this file (.venv), which is made or repaired first if need be
# ./hmi.sh test [...]    all checks and tests; --long adds the long ones; any other argument goes to pytest, without the checks
# ./hmi.sh bench [...]   the benches: [NAME] [--json]
# HMI_PYTHON chooses the Python (3.11 to 3.13) that the environment is made from.
set -eu

here=$(dirname -- "$(readlink -f -- "$0")")
venv=$here/.venv
stamp=$venv/.hindsight
python=$venv/bin/python

say() { printf 'hmi.sh: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

need=run
case ${1-} in test | bench) need='test' ;; esac

# What the environment must be made of. The path of Python is part of it: an upgrade of the operating system changes it.
wanted() { { cat "$here"/requirements*.txt; echo "$here"; readlink -f "$python"; } | sha256sum | cut -c1-64; }

ready() {
    [ -x "$python" ] && [ -r "$stamp" ] || return 1
    read -r have level <"$stamp" || return 1
    [ "$have" = "$(wanted)" ] || return 1
    [ "$need" = run ] || [ "$level" = test ]
}

# Libraries by the name that programs ask the loader for, and the Debian package that brings them.
libraries='
libGL.so.1              libgl1
libEGL.so.1             libegl1
libglib-2.0.so.0        libglib2.0-0
libdbus-1.so.3          libdbus-1-3
libfontconfig.so.1      libfontconfig1
libxkbcommon.so.0       libxkbcommon0
libxkbcommon-x11.so.0   libxkbcommon-x11-0
libxcb-cursor.so.0      libxcb-cursor0
libxcb-icccm.so.4       libxcb-icccm4
libxcb-image.so.0       libxcb-image0
libxcb-keysyms.so.1     libxcb-keysyms1
libxcb-randr.so.0       libxcb-randr0
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0       libxcb-shape0
libxcb-xkb.so.1         libxcb-xkb1
libwayland-cursor.so.0  libwayland-cursor0
libwayland-egl.so.1     libwayland-egl1
'
# The tests also drive a real window with a real mouse and keyboard.
programs='Xvfb:xvfb xdotool:xdotool openbox:openbox xprop:x11-utils'

missing_packages() {
    loadable=$( (PATH=$PATH:/sbin:/usr/sbin; ldconfig -p) 2>/dev/null | sed 's/^[[:space:]]*//; s/ .*//' | sort -u)
    printf '%s\n' "$libraries" | while read -r library package; do
        [ -z "$library" ] || printf '%s\n' "$loadable" | grep -qxF "$library" || printf '%s\n' "$package"
    done
    if [ "$need" = test ]; then
        for entry in $programs; do
            command -v "${entry%%:*}" >/dev/null || printf '%s\n' "${entry#*:}"
        done
    fi
    if ! base_python=$(find_python); then
        # An older Python beside it does no harm, but no package of the same system would bring a newer one either.
        command -v python3 >/dev/null || printf 'python3\npython3-venv\n'
    elif ! "$base_python" -c 'import ensurepip, venv' 2>/dev/null; then
        # Python says for itself which version it is: python3-venv belongs to Debian's default Python only.
        "$base_python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
    fi
    [ -e /etc/ssl/certs/ca-certificates.crt ] || [ ! -e /etc/debian_version ] || echo ca-certificates
}

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    if [ -n "${HMI_PYTHON:-}" ]; then
        supported "$HMI_PYTHON" && printf '%s\n' "$HMI_PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && supported "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        say "this system has no apt-get; if the program does not start, install what these Debian packages hold: $*"
        return
    fi
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        command -v sudo >/dev/null || fail "system packages are missing and this user may not install them. As root, run:
    apt-get install --no-install-recommends $*
then start again."
    fi
    say "installing system packages: $*"
    words=$(mktemp)
    $as_root apt-get update -qq >"$words" 2>&1 || say "apt-get update did not succeed; trying with the package lists that are here"
    # Debian 13 renamed the packages that the change to 64-bit time touched.
    chosen=
    for package in "$@"; do
        if apt-cache show --quiet=2 "${package}t64" >/dev/null 2>&1; then package=${package}t64; fi
        chosen="$chosen $package"
    done
    # shellcheck disable=SC2086 # one word a package
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 \
        $chosen >>"$words" 2>&1 || {
        tail -n 12 "$words" >&2
        rm -f "$words"
        fail "apt-get could not install them. As root, run:
    apt-get update && apt-get install --no-install-recommends$chosen
then start again."
    }
    rm -f "$words"
}

# uv reads no pip configuration. Where pip was told to use a mirror (and uv was not), uv is told the same.
mirror_as_pip() {
    [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] || return 0
    mirror=$("$python" -m pip config list 2>/dev/null | sed -n "s/^\(global\|install\|:env:\)\.index-url='\(.*\)'\$/\2/p" | tail -n 1)
    if [ -n "$mirror" ]; then export UV_DEFAULT_INDEX="$mirror"; fi
}

build() {
    missing=$(missing_packages | tr '\n' ' ')
    # shellcheck disable=SC2086
    [ -z "$missing" ] || install_packages $missing
    base_python=$(find_python) || fail "Python 3.11, 3.12 or 3.13 is needed; $(python3 --version 2>&1 || true) was found. HMI_PYTHON=/path/to/python chooses another one."

    # An environment in which an installation broke off, or whose Python is gone or was replaced, is not to be trusted; nor one that was moved.
    reinstall=
    unfinished=$venv/.unfinished
    if [ -e "$venv" ] && { [ "$(cat "$venv/.place" 2>/dev/null || echo "$here")" != "$here" ] || ! supported "$python" || ! "$python" -m pip --version >/dev/null 2>&1 ||
        [ "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" != "$(sed -n 's/^version = \([0-9]*\.[0-9]*\).*/\1/p' "$venv/pyvenv.cfg")" ]; }; then
        say "the environment in $venv cannot be used as it is; making it anew"
        rm -rf "$venv"
    elif [ -e "$unfinished" ]; then
        say "the last installation broke off; repairing it"
        reinstall=--reinstall
    fi
    mkdir -p "$venv"
    rm -f "$stamp"
    : >"$unfinished"
    echo "$here" >"$venv/.place"
    if [ ! -x "$python" ]; then
        say "making a private environment in $venv (nothing outside it changes)"
        "$base_python" -m venv "$venv"
    fi
    uv=$venv/bin/uv
    requirements=$here/requirements.txt
    [ "$need" = run ] || requirements=$here/requirements-test.txt
    say "installing $(grep -c '==' "$requirements") Python packages into it; ${requirements##*/} lists them"
    "$python" -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps \
        ${reinstall:+--force-reinstall} -r "$here/requirements-uv.txt" >&2 ||
        fail "the installer 'uv' could not be installed; start again when the network is back."
    mirror_as_pip
    # shellcheck disable=SC2086
    VIRTUAL_ENV=$venv UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} UV_PYTHON_DOWNLOADS=never \
        "$uv" pip sync --quiet --require-hashes $reinstall "$requirements" >&2 ||
        fail "the Python packages could not be installed; start again when the network is back."
    # The program runs from this folder: no copy of it in the environment that could be older.
    "$python" -c 'import pathlib, sys, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "hindsight.pth").write_text(sys.argv[1] + "\n", "utf-8")' "$here"
    printf '#!/bin/sh\nexec "%s" -m hmi "$@"\n' "$python" >"$venv/bin/hmi"
    chmod +x "$venv/bin/hmi"
    # Compiled once, also where PYTHONDONTWRITEBYTECODE is set: the demo starts in half the time then. Only what it imports; what does not
    # import here says so when it is used.
    env -u PYTHONDONTWRITEBYTECODE "$python" -c 'import hmi.cli.demo, hmi.cli.run, hmi.collector.main, hmi.demo.serve, hmi.demo.standard_nodes, hmi.desktop.application
import hmi.drivers.modbus, hmi.drivers.opcua, hmi.session.live, hmi.session.replay, pymodbus.server, pymodbus.simulator' >/dev/null 2>&1 || true
    rm -f "$unfinished"
    printf '%s %s\n' "$(wanted)" "$need" >"$stamp.new"
    mv "$stamp.new" "$stamp"
    say "ready"
}

if ! ready; then
    # Two first starts at once: the second waits for the first. The lock must not outlive this script: what it starts may run for weeks.
    exec 9<"$here/hmi.sh"
    if command -v flock >/dev/null && ! flock -n 9; then
        say "another start is installing; waiting for it"
        flock 9
    fi
    # Test tools that are here stay here.
    if [ -r "$stamp" ] && read -r have level <"$stamp" && [ "$level" = test ]; then kept=$need; need='test'; fi
    ready || build 9<&-
    need=${kept:-$need}
    exec 9<&-
fi

run_tests() {
    cd "$here"
    export QT_QPA_PLATFORM=offscreen
    checks=no
    case "${1-} $#" in
    ' 0') checks=yes ;;
    '--long 1') checks=yes ;;
    esac
    [ "${1-}" != -- ] || shift
    failed=
    if [ $checks = yes ]; then
        for check in 'ruff check --quiet' 'ruff format --check --quiet' 'mypy --no-error-summary' 'lint-imports --no-cache'; do
            # shellcheck disable=SC2086
            if output=$("$venv/bin/"$check 2>&1); then
                printf 'good    %s\n' "$check"
            else
                printf '%s\nFAILED  %s\n' "$output" "$check"
                failed="$failed, ${check%% --*}"
            fi
        done
    fi
    # pytest's summary is to be the last line, so this is said before it.
    [ -z "$failed" ] || printf '%s failed, so this run fails whatever the tests say\n' "${failed#, }"
    result=0
    "$python" -m pytest "$@" || result=$?
    [ -z "$failed" ] || [ $result != 0 ] || result=1
    exit $result
}

case ${1-} in
test) shift; run_tests "$@" ;;
bench) shift; cd "$here"; export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"; exec "$python" tests/bench "$@" ;;
*) exec "$python" -m hmi "$@" ;;
esac
