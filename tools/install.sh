#!/bin/sh
# install.sh PYTHON [EXTRA...]: this checkout into the virtual environment of PYTHON, with these extras.
#
# All at once where that works. Where a package of one extra cannot be had, everything else is installed without it, and
# what is missing is said: a mail system without LDAP is better than none.
python=$1
shift
cd "$(dirname "$0")/.." || exit 2

pip() {
    "$python" -m pip install -q --disable-pip-version-check "$@"
}

extras=$(echo "$*" | tr ' ' ,)
pip -e ".${extras:+[$extras]}" 2>/dev/null && exit 0
echo "not all optional packages can be installed: one by one then"
pip -e . || exit 1

# Of `all` its parts; setup.cfg has them.
for extra in "$@"; do
    if [ "$extra" = all ]; then
        parts="$parts pcre ldap pgsql mysql memcache redis"
    else
        parts="$parts $extra"
    fi
done
for part in $parts; do
    pip -e ".[$part]" 2>/dev/null || missing="$missing $part"
done
[ -z "$missing" ] || echo "works without:$missing (why: $python -m pip install -e '.[NAME]')"
