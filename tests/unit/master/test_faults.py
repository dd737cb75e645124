"""What `postfix check` and the start say of values that cannot be (MC-7, MX-3, DN-1)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from pytwfix.master.faults import faults
from pytwfix.master.plan import Plan
from pytwfix.settings.maincf import parse_main
from pytwfix.settings.mastercf import parse_services

NUMBER, TIME = (
    "specify a whole number, without a unit",
    "specify a whole number and, without a space, s, m, h, d or w",
)
# line of main.cf: what is said behind file and line.
MAIN = {
    "biff = 1": "bad boolean configuration: biff = 1; specify yes or no",
    "message_size_limit = 10M": f"bad numerical configuration: message_size_limit = 10M; {NUMBER}",
    "smtpd_timeout = 3 minutes": f"parameter smtpd_timeout: bad time value or unit: 3 minutes; {TIME}",
    "in_flow_delay = 11s": "invalid in_flow_delay: 11 (max 10)",
    "smtpd_recipient_limit = -5": "invalid smtpd_recipient_limit parameter value -5 < 1",
    "default_transport =": "bad string length 0 < 1: default_transport = ; it cannot be empty",
    "smtpd_banner = ${x": 'smtpd_banner: truncated macro reference: "${x"',
    "foo_destination_concurrency_limit = many":
        f"bad numerical configuration: foo_destination_concurrency_limit = many; {NUMBER}",
    "foo_time_limit = 3y": f"parameter foo_time_limit: bad time value or unit: 3y; {TIME}",
    "virtual_alias_maps = static:a bogus:/x":
        "virtual_alias_maps: unsupported dictionary type: bogus; postconf -m shows those that there are",
    "smtpd_tls_security_level = on":
        'smtpd_tls_security_level: Invalid TLS level "on"; specify none, may or encrypt',
    "smtp_tls_security_level = mya":
        'smtp_tls_security_level: invalid tls security level: "mya"; specify none, may, encrypt, dane, dane-only, '
        "fingerprint, verify or secure",
    "alias_maps = $x /etc/aliases": 'alias_maps: expecting "type:name" form instead of "/etc/aliases"',
}  # fmt: skip
# The same for words in values; what is around them is right.
WORDS = {
    "smtpd_client_restrictions = permit_mynetworks, reject_unknown_clients, reject":
        'smtpd_client_restrictions: unknown smtpd restriction: "reject_unknown_clients"; '
        "specify reject_unknown_client?",
    "smtpd_relay_restrictions = warn_if_reject xyz hash:/x check_sender_access hash:/x":
        'smtpd_relay_restrictions: unknown smtpd restriction: "xyz"; specify a restriction, a class or type:table',
    "smtpd_sender_restrictions = check_sender_access":
        "smtpd_sender_restrictions: check_sender_access has nothing behind it; specify what it is to look at",
    "smtpd_helo_restrictions = reject_maps_rbl":
        "smtpd_helo_restrictions: reject_maps_rbl has been removed in Postfix 3.9; "
        'specify "reject_rbl_client domain-name"',
    "mynetworks = 127.0.0.0/8, 10.0.0.1/8":
        'mynetworks: non-null host address bits in "10.0.0.1/8", perhaps you should use "10.0.0.0/8" instead; '
        "specify an address, network/bits, a name, /file or type:table",
    "debug_peer_list = fe80::1":
        'debug_peer_list: unsupported dictionary type: "fe80"; an IPv6 address is written in [ ]',
    "smtpd_milters = inet:localhost:8891, localhost:8891":
        "smtpd_milters: invalid transport name: localhost in Milter service: localhost:8891; "
        "specify inet:host:port or unix:path",
    "relayhost = [mail.example.com:25":
        'relayhost: missing "]" in server description: [mail.example.com:25; '
        "specify [host]:port, or host:port for its MX hosts",
    "default_transport = smpt:[x]":
        'default_transport: there is no service "smpt" in master.cf; specify transport:nexthop',
    "content_filter = smtp:[127.0.0.1]:99999":
        "content_filter: bad port number in server description: [127.0.0.1]:99999; "
        "specify [host]:port, or host:port for its MX hosts",
}  # fmt: skip
RIGHT_WORDS = """\
smtpd_restriction_classes = mine
mine = reject_unauth_destination, sleep 1
smtpd_recipient_restrictions = $mua, MINE mine, check_policy_service {unix:/x, timeout=1s} PERMIT reject_rbl_client a=b
mua = permit_mynetworks, check_client_access inline:{a=b}, regexp:/x
mynetworks = [::1]/128, !10.0.0.0/8 /etc/x, example.com, hash:/x
non_smtpd_milters = { unix:/x, default_action = accept }
relayhost = [a.example]:25, b.example:submission
default_transport = smtp
content_filter =
"""
RIGHT = """\
unknown = 1
biff = ${stress?{no}:{yes}}
smtpd_timeout = 3m
header_checks = pipemap:{static:{a b},inline:{k=v}} proxy:static:x
transport_maps =
relay_recipient_maps = $transport_maps
default_rbl_reply = $rbl_code ${rbl_class
"""


def plan(main: str, master: str = "") -> Plan:
    return Plan("/c", parse_main(main, "/c/main.cf"), parse_services(master))


class Faults(SynchronousTestCase):
    def test_main(self) -> None:
        """MC-7, LK-3: file, line, name, and what would be right."""
        for line, text in MAIN.items():
            self.assertEqual(faults(plan(f"# c\n{line}\n")), [f"/c/main.cf, line 2: {text}"])
        self.assertEqual(len(faults(plan("".join(f"{line}\n" for line in MAIN)))), len(MAIN))

    def test_words(self) -> None:
        """SD-31, DL-1, MI-1, SM-1, TR-4: words that mean nothing, in main.cf and in master.cf."""
        services = "smtp unix - - n - - smtp\n"
        for line, text in WORDS.items():
            self.assertEqual(faults(plan(f"# c\n{line}\n", services)), [f"/c/main.cf, line 2: {text}"])
            own = f"x inet n - n - - smtpd\n -o {{{line}}}\n"
            self.assertEqual(faults(plan("", services + own)), [f"/c/master.cf: line 2: x/inet: -o {text}"])
        self.assertEqual([], faults(plan(RIGHT_WORDS.replace("MINE ", ""), services)))
        [text] = faults(plan(RIGHT_WORDS, services))
        self.assertIn('unknown smtpd restriction: "MINE"', text)

    def test_right(self) -> None:
        self.assertEqual(faults(plan(RIGHT)), [])

    def test_options(self) -> None:
        """MX-3: -o options, which may be made of main.cf's values."""
        master = "smtp inet n - n - - smtpd -o { biff = $good }\n  -o smtpd_timeout=$wrong\n"
        text = f"/c/master.cf: line 2: smtp/inet: -o parameter smtpd_timeout: bad time value or unit: 5x; {TIME}"
        self.assertEqual(faults(plan("wrong = 5x\ngood = no\n", "# c\n" + master)), [text])

    def test_arguments(self) -> None:
        """MX-3, PI-1: what a program does not take."""
        for command, text in (
            ("smtp smtp", 'unknown argument: "smtp"; specify -o name=value, -v or nothing'),
            ("smtp -v -q", 'unknown option: "-q"; specify -o name=value, -v or nothing'),
            ("pipe user=nobody", "missing argv= command-line attribute"),
            ("pipe flags=Z user=nobody argv=/bin/true", 'unknown flag: "Z"'),
            ("spawn argv=/bin/true", "missing user= command-line attribute"),
        ):
            found = faults(plan("", f"x unix - n n - - {command}\n"))
            self.assertEqual(found, [f"/c/master.cf: line 1: x/unix: {text}"])
        for command in ("smtp -o biff=no -v", "smtpd -S", "pipe user=nobody argv=/bin/x ${sender}", "nosuch a b"):
            self.assertEqual(faults(plan("", f"x unix - n n - - {command}\n")), [])
