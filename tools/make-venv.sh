#!/bin/sh
# make-venv.sh PYTHON DIR: a virtual environment, also where Debian's python has no ensurepip.
set -e
python=$1 dir=$2
[ -x "$dir/bin/python" ] && "$dir/bin/python" -m pip --version >/dev/null 2>&1 && exit 0
if "$python" -m ensurepip --version >/dev/null 2>&1; then
    exec "$python" -m venv "$dir"
fi
"$python" -m venv --without-pip "$dir"
for pip in pip3 pip "python3 -m pip"; do
    if $pip --python "$dir/bin/python" install -q pip setuptools wheel 2>/dev/null; then exit 0; fi
done
if python3 -m virtualenv --version >/dev/null 2>&1; then
    exec python3 -m virtualenv -q -p "$python" "$dir"
fi
echo "cannot make a virtual environment: install python3-venv or a pip of version 22.3 or later" >&2
exit 1
