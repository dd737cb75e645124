"""What a domain is told about TLS to its mail servers: records, counts and reports (RFC 8460; INVENTORY TL-10). Pure.

A session is a success or one fault, under the policy that applied. `Tally` adds them up for a domain; a tally is a line
of text on disk (`line`, `parse_line`), lines of several processes add up to one, and `report` makes JSON of it.
Times are seconds since the epoch.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RESULTS = frozenset(
    (
        "starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
        "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
        "sts-policy-invalid", "sts-webpki-invalid",
    )
)  # fmt: skip
NO_POLICY = "no-policy-found"
KINDS = frozenset(("tlsa", "sts", NO_POLICY))
MOST_DETAILS = 500  # of one policy: further failures are counted, not told apart
MOST_POLICIES = 20  # of one domain and day
MOST_PLACES = 4  # where reports of one domain go
_LONGEST_TEXT = 200
_LONGEST_STRINGS = 16384  # of one policy, all its lines together
_LONGEST_NAME = 80  # of the two in a file's name
_RECORD = re.compile(r"v=TLSRPTv1[ \t]*;")


class Fault(NamedTuple):
    """Why a session counts as failed: one of RESULTS, and more about it in a few words. `applied` is said where it is
    another policy than that with which the session was begun."""

    result: str
    code: str = ""
    applied: Applied | None = None


class Applied(NamedTuple):
    """A policy as reports have it: its kind, its own text in lines, and the servers that an MTA-STS policy names."""

    kind: str = NO_POLICY
    strings: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()


class Detail(NamedTuple):
    """What failures have in common. Empty: not known."""

    result: str
    code: str = ""
    sending_ip: str = ""
    mx: str = ""
    receiving_ip: str = ""


def parse_record(records: Iterable[str]) -> tuple[str, ...]:
    """Where reports go, by the TXT records at _smtp._tls.<domain> (RFC 8460 section 3): mailto: and https: addresses.
    Nothing when the domain wants none, or says it twice."""
    found = [text for text in records if _RECORD.match(text)]
    if len(found) != 1:
        return ()
    for part in found[0].split(";")[1:]:
        name, _, value = part.strip(" \t").partition("=")
        if name.strip(" \t") == "rua":
            places = [one.strip(" \t") for one in value.split(",")]
            return tuple(one for one in dict.fromkeys(places) if _reachable(one))[:MOST_PLACES]
    return ()


def _reachable(uri: str) -> bool:
    clean = uri.isascii() and uri.isprintable() and " " not in uri and len(uri) <= 1000
    return clean and uri.partition(":")[0].lower() in ("mailto", "https")


class Count:
    """Sessions under one policy."""

    __slots__ = ("failures", "more", "successes")

    def __init__(self) -> None:
        self.successes = 0
        self.failures: Counter[Detail] = Counter()
        self.more = 0  # failures beyond MOST_DETAILS

    @property
    def failed(self) -> int:
        return sum(self.failures.values()) + self.more

    def fail(self, detail: Detail, number: int = 1) -> None:
        if detail in self.failures or len(self.failures) < MOST_DETAILS:
            self.failures[detail] += number
        else:
            self.more += number


class Tally:
    """Sessions to one domain."""

    def __init__(self) -> None:
        self.counts: dict[Applied, Count] = {}

    def count(self, applied: Applied) -> Count:
        """Where sessions under a policy are counted; too many policies are as one without text."""
        found = self.counts.get(applied)
        if found is None:
            if len(self.counts) >= MOST_POLICIES:
                applied = Applied(applied.kind)
            found = self.counts.setdefault(applied, Count())
        return found

    def add(self, other: Tally) -> None:
        for applied, count in other.counts.items():
            own = self.count(applied)
            own.successes += count.successes
            own.more += count.more
            for detail, number in count.failures.items():
                own.fail(detail, number)


def applied_of(kind: str, strings: Iterable[str] = (), mx: Iterable[str] = ()) -> Applied:
    """With texts that are not too long for a report."""
    kept: list[str] = []
    left = _LONGEST_STRINGS
    for one in strings:
        left -= len(one)
        if left < 0:
            break
        kept.append(one)
    return Applied(kind, tuple(kept), tuple(mx)[:100])


def shortened(text: str) -> str:
    """What a peer or a library said, as a report may repeat it."""
    return "".join(one if one.isprintable() else " " for one in text[:_LONGEST_TEXT]).strip()


# Lines on disk.


def line(domain: str, places: Iterable[str], tally: Tally) -> str:
    """A tally in one line, without its end."""
    counts = [
        [*applied, count.successes, count.more, [[*detail, number] for detail, number in count.failures.items()]]
        for applied, count in tally.counts.items()
    ]
    return json.dumps([domain, list(places), counts], separators=(",", ":"))


def parse_line(text: str) -> tuple[str, tuple[str, ...], Tally]:
    """(domain, where its reports go, its tally). ValueError: it is none, as the last line after a crash may be."""
    try:
        domain, places, counts = json.loads(text)
        tally = Tally()
        for kind, strings, mx, successes, more, failures in counts:
            count = tally.count(Applied(_of(kind, KINDS), _texts(strings), _texts(mx)))
            count.successes += _number(successes)
            count.more += _number(more)
            for result, code, sending_ip, host, receiving_ip, number in failures:
                told = _texts((code, sending_ip, host, receiving_ip))
                count.fail(Detail(_of(result, RESULTS), *told), _number(number))
        (name,) = _texts([domain])
        return name, _texts(places), tally
    except (TypeError, RecursionError) as error:
        raise ValueError(f"not a count: {error}") from None


def _of(word: object, words: frozenset[str]) -> str:
    if not isinstance(word, str) or word not in words:
        raise ValueError(f"unknown word: {str(word)[:80]}")
    return word


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise ValueError("a text where a list belongs")
    found = tuple(values)
    if not all(isinstance(one, str) for one in found):
        raise ValueError("a text is missing")
    return tuple(str(one) for one in found)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a number is missing")
    return value


# Reports.


class Sender(NamedTuple):
    """Who reports: an organization's name, an address for questions, and the domain of report IDs."""

    organization: str
    contact: str
    domain: str


def stamp(when: float) -> str:
    """A time of RFC 3339, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def report_id(domain: str, begin: int, sender: Sender) -> str:
    """The same for the same domain and time: who gets a report twice knows it."""
    return f"{time.strftime('%Y%m%d%H%M%S', time.gmtime(begin))}.{domain}@{sender.domain}"


def file_name(domain: str, begin: int, end: int, sender: Sender) -> str:
    """RFC 8460 section 5.1; `end` is the last second that the report is about. Names that are too long for a file stand
    there shortened, with a digest."""
    return f"{_file_part(sender.domain)}!{_file_part(domain)}!{begin}!{end}.json"


def _file_part(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def report(domain: str, tally: Tally, begin: int, end: int, sender: Sender) -> dict[str, Any]:
    """RFC 8460 section 4.4, for JSON."""
    return {
        "organization-name": sender.organization,
        "date-range": {"start-datetime": stamp(begin), "end-datetime": stamp(end)},
        "contact-info": sender.contact,
        "report-id": report_id(domain, begin, sender),
        "policies": [_policy(domain, applied, count) for applied, count in sorted(tally.counts.items())],
    }


def _policy(domain: str, applied: Applied, count: Count) -> dict[str, Any]:
    policy: dict[str, Any] = {"policy-type": applied.kind, "policy-domain": domain}
    if applied.strings:
        policy["policy-string"] = list(applied.strings)
    if applied.mx:
        policy["mx-host"] = list(applied.mx)
    summary = {
        "total-successful-session-count": count.successes,
        "total-failure-session-count": count.failed,
    }
    found: dict[str, Any] = {"policy": policy, "summary": summary}
    if count.failures:
        found["failure-details"] = [_detail(*one) for one in sorted(count.failures.items())]
    return found


def _detail(detail: Detail, number: int) -> dict[str, Any]:
    given: Mapping[str, str] = {
        "result-type": detail.result,
        "sending-mta-ip": detail.sending_ip,
        "receiving-mx-hostname": detail.mx,
        "receiving-ip": detail.receiving_ip,
        "failure-reason-code": detail.code,
    }
    return {**{name: value for name, value in given.items() if value}, "failed-session-count": number}
