#!/bin/sh
# run-tests.sh PYTHON: every test that this machine can run. Last line: N passed, N failed, N skipped.
#
# First what needs no more than loopback, two processes at once; then tests/integration, which start mail systems, one
# after the other. JOBS, TRIAL (more options for trial) and RESULTS (a folder for logs) may be set.
python=${1:-python3}
cd "$(dirname "$0")/.." || exit 2
results=${RESULTS:-_trial_temp.results}
mkdir -p "$results"
status=0

run() {  # name, arguments of trial
    name=$1
    shift
    log=$results/$name.log
    echo "== $name: python -m twisted.trial $*"
    # Not through a pipe: the exit status is trial's.
    "$python" -m twisted.trial --temp-directory "$results/$name" $TRIAL "$@" >"$log" 2>&1 </dev/null || status=1
    "$python" tools/trial-report.py --problems "$log"
}

here() {  # those of the modules that exist
    for module in "$@"; do
        [ -d "$(echo "$module" | tr . /)" ] && echo "$module"
    done
}

run unit "-j${JOBS:-2}" $(here tests.unit tests.house tests.dialogs tests.fuzz tests.conformance)
integration=$(here tests.integration)
[ -n "$integration" ] && run integration $integration
"$python" tools/trial-report.py --total "$results"/unit.log ${integration:+"$results"/integration.log} || status=1
exit $status
