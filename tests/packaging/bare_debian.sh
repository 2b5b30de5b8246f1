#!/bin/sh
# Shows that a bare Debian with nothing but python3 runs Hindsight: makes such a system in a folder, clones HEAD of this checkout into it,
# and runs the README's two commands there (or the ones given). Needs root and debootstrap.
#
# usage: tests/packaging/bare_debian.sh [--suite bookworm] [--user] [--long] [--keep] [--folder DIR] [COMMAND ...]
#   --suite NAME   the Debian release (bookworm)
#   --user         as an ordinary user with sudo, not as root
#   --long         './hmi.sh test --long' for the second command
#   --keep         leave the system in its folder afterwards; with --folder, use it again if it is there
#   --folder DIR   where (a new temporary folder)
#   COMMAND ...    lines for the shell in the clone, instead of the two commands
set -eu

suite=bookworm user=root as_user='' long='' keep='' folder=''
while [ $# -gt 0 ]; do
    case $1 in
    --suite) suite=$2; shift ;;
    --user) user=plant as_user=--user ;;
    --long) long=' --long' ;;
    --keep) keep=yes ;;
    --folder) folder=$2; shift ;;
    --*) echo "unknown option $1" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- './hmi.sh demo --headless --for 20s' "./hmi.sh test$long"

[ "$(id -u)" = 0 ] || { echo "bare_debian.sh: needs root, for debootstrap and chroot" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "bare_debian.sh: needs debootstrap (apt-get install debootstrap)" >&2; exit 2; }
checkout=$(cd "$(dirname "$0")/../.." && pwd)
: "${folder:=$(mktemp -d "${TMPDIR:-/tmp}/bare-debian-XXXXXX")}"

# A mount namespace and a process namespace of its own: whatever happens, nothing stays mounted and nothing stays running.
if [ "${BARE_DEBIAN_INSIDE:-}" != yes ]; then
    [ -e "$folder/etc/debian_version" ] || debootstrap --variant=minbase "$suite" "$folder" >"$folder-debootstrap.log" 2>&1 ||
        { tail -n 20 "$folder-debootstrap.log" >&2; exit 1; }
    result=0
    BARE_DEBIAN_INSIDE=yes unshare --mount --pid --fork --kill-child "$0" --suite "$suite" --folder "$folder" \
        ${as_user:+"$as_user"} "$@" || result=$?
    [ -n "$keep" ] || rm -rf --one-file-system "$folder" "$folder-debootstrap.log"
    exit $result
fi

mount -t proc proc "$folder/proc"
mount --rbind /dev "$folder/dev"
mount -t tmpfs -o mode=1777 tmpfs "$folder/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$folder/tmp"
cp /etc/resolv.conf /etc/hosts "$folder/etc/"

# What this machine needs to reach its package servers, the new one needs as well.
passed='PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb'
for name in http_proxy https_proxy no_proxy PIP_CERT PIP_INDEX_URL UV_DEFAULT_INDEX UV_INDEX_URL SSL_CERT_FILE NODE_EXTRA_CA_CERTS \
    npm_config_registry; do
    eval "value=\${$name:-}"
    [ -z "$value" ] || passed="$passed $name=$value"
done
inside() { # USER COMMAND
    # shellcheck disable=SC2086 # one word a variable
    chroot "$folder" /usr/bin/env -i $passed HOME="$([ "$1" = root ] && echo /root || echo "/home/$1")" USER="$1" \
        /usr/sbin/runuser -u "$1" -- /bin/sh -c "$2"
}

mkdir -p "$folder/usr/local/share/ca-certificates"
cp /usr/local/share/ca-certificates/*.crt "$folder/usr/local/share/ca-certificates/" 2>/dev/null || true
inside root 'export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 ca-certificates >/dev/null && update-ca-certificates >/dev/null' 2>&1 |
    grep -v '^debconf:' || true
home=/root
if [ $user != root ]; then
    home=/home/$user
    inside root "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sudo >/dev/null 2>&1
        id $user >/dev/null 2>&1 || useradd --create-home $user
        echo '$user ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/$user"
fi
rm -rf "$folder$home/hindsight"
git -c safe.directory='*' clone --quiet --no-hardlinks "$checkout" "$folder$home/hindsight"
[ $user = root ] || inside root "chown -R $user: $home/hindsight"
echo "== Debian $(cat "$folder/etc/debian_version"), $(inside root 'python3 --version'), $(inside root 'dpkg-query -f . -W' | wc -c) packages, as $user"

failed=0
for command in "$@"; do
    echo "== $command"
    started=$(date +%s)
    result=0
    inside "$user" "cd ~/hindsight && $command" </dev/null || result=$?
    echo "== exit $result after $(($(date +%s) - started)) s"
    [ $result = 0 ] || failed=1
done
exit $failed
