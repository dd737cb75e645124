"""Host addresses by the search list of resolv.conf (smtp_dns_resolver_options; SM-3, resolv.conf(5)).

`res_defnames` completes a name without a dot, by the first domain of the list; `res_dnsrch` tries the whole list, for
names with a dot too. A failure is told by the name that was asked for. Errback: DnsError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from pytwfix.contracts.dns import DnsError, NoData, NoSuchName, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytwfix.contracts.dns import Answer, SearchList
    from pytwfix.contracts.host import IHost

OPTIONS = ("res_defnames", "res_dnsrch")


class HostSearch:
    """Asks the host's resolver. `options` is the text of the parameter; ValueError for a word that is none."""

    def __init__(self, host: IHost, options: str) -> None:
        words = options.replace(",", " ").lower().split()
        for word in words:
            if word not in OPTIONS:
                raise ValueError(f"bad resolver option: {word}")
        self._host = host
        self._defnames = "res_defnames" in words
        self._dnsrch = "res_dnsrch" in words

    def addresses(self, name: str, family: int) -> Deferred[Answer]:
        return Deferred.fromCoroutine(self._addresses(name, family))

    async def _addresses(self, name: str, family: int) -> Answer:
        resolver = self._host.resolver
        problem: DnsError | None = None
        for candidate in self._candidates(name, await resolver.search_list()):
            try:
                return await resolver.addresses(candidate, family)
            except (NoData, NoSuchName) as error:
                if candidate == name and not isinstance(problem, TryAgain):
                    problem = error
            except TryAgain as error:
                problem = error
        assert problem is not None  # the name itself was among them
        raise type(problem)(name, problem.rtype, problem.text.replace(f"name={problem.name} ", f"name={name} ", 1))

    def _candidates(self, name: str, search: SearchList) -> Iterator[str]:
        dots = name.count(".")
        first = dots >= search.ndots
        if first:
            yield name
        if self._dnsrch if dots else self._defnames:
            for domain in search.domains if self._dnsrch else search.domains[:1]:
                yield f"{name}.{domain}"
        if not first:
            yield name
