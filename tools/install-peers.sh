#!/bin/sh
# install-peers.sh: the real servers and clients that tests talk to, by apt-get. As another user than root it says so
# and is content: tests that need them are skipped then.
set -u
if [ "$(id -u)" -ne 0 ]; then
    echo "make peers: not root: nothing is installed; tests that need other servers will be skipped"
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "make peers: there is no apt-get here: install the packages named in tools/install-peers.sh by hand"
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true
# What the tests cannot do much without, then what single tests talk to.
needed="postfix python3-venv python3-pip openssl ca-certificates"
wanted="postfix-pcre postfix-lmdb postfix-cdb postfix-sqlite postfix-ldap postfix-mysql postfix-pgsql
 swaks msmtp curl dovecot-core dovecot-lmtpd slapd libsasl2-modules ldap-utils postgresql mariadb-server memcached redis-server
 procmail maildrop knot knot-dnsutils unbound opendkim opendkim-tools postfix-policyd-spf-python postgrey pflogsumm mailgraph fail2ban spamassassin
 sqlite3 libdb-dev python3-dev gcc libpython3.11-testsuite libpython3.13-testsuite util-linux iproute2 procps"

# Services of packages are not started: tests start their own, on ports of their own.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made=yes
fi
trap '[ -n "$made" ] && rm -f "$policy"' EXIT

printf '%s\n' "postfix postfix/main_mailer_type select No configuration" \
    "slapd slapd/no_configuration boolean true" | debconf-set-selections 2>/dev/null

install() {
    apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "$@" </dev/null
}

apt-get update -q </dev/null || echo "make peers: apt-get update failed: trying with what is known"
# A package that this release does not have, or that cannot be installed, must not keep the others away.
there= failed=
for package in $needed $wanted; do
    if [ -n "$(apt-cache madison "$package" 2>/dev/null)" ]; then
        there="$there $package"
    else
        failed="$failed $package"
    fi
done
if ! install $there; then
    for package in $there; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
        install "$package" || failed="$failed $package"
    done
fi
dpkg --configure -a </dev/null || true
[ -n "$failed" ] && echo "make peers: not to be had here:$failed"
for package in $needed; do
    case " $failed " in
        *" $package "*) exit 1 ;;
    esac
done
exit 0
