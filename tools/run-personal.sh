#!/bin/sh
# run-personal.sh VENV: the personal mail system, in the foreground.
#
# As root the network is served by another user, who must be able to read the program. Where this checkout is closed to
# others (below /root, say), a copy is installed beside the instance, and anew when the source has changed.
venv=$1
copy=/var/lib/pytwfix/venv
cd "$(dirname "$0")/.." || exit 2

readable() {
    ! command -v setpriv >/dev/null 2>&1 || setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$PWD/setup.cfg"
}

if [ "$(id -u)" -eq 0 ] && ! readable; then
    if [ ! -e "$copy/.installed" ] || [ -n "$(find pytwfix setup.cfg -newer "$copy/.installed" -name '[a-z]*.[a-z]*' \
            ! -name '*.pyc' -print | head -n 1)" ]; then
        echo "$PWD is closed to the users that do the work: a copy is installed in $copy"
        mkdir -p -m 755 "$copy"
        umask 022
        sh tools/make-venv.sh "$("$venv/bin/python" -c 'import sys; print(sys._base_executable)')" "$copy" &&
            "$copy/bin/python" -m pip install -q --disable-pip-version-check . && touch "$copy/.installed" || exit 1
    fi
    venv=$copy
fi
exec "$venv/bin/twistd" -n pytwfix --personal
