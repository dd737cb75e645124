"""smtp_dns_reply_filter: DNS answers that are dropped before they are used (SM-3, SM-15).

Each record is looked up as text, `name ttl IN type data`; a result of IGNORE drops it. When nothing is left of an
answer the domain is as if a policy forbade it (4.7.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.contracts.dns import MX, SRV, TLSA, Address, Answer
from pytwfix.contracts.tables import TableError
from pytwfix.deliver.smtp import log
from pytwfix.deliver.smtp.failures import Trouble
from pytwfix.mail.status import Dsn

if TYPE_CHECKING:
    from pytwfix.contracts.host import ILog
    from pytwfix.tables.maps import Maps


def as_text(name: str, ttl: int, record: object) -> str:
    """A record as the table sees it."""
    if isinstance(record, MX):
        kind, data = "MX", f"{record.preference} {record.host}."
    elif isinstance(record, Address):
        kind, data = ("AAAA" if ":" in record.address else "A"), record.address
    elif isinstance(record, SRV):
        kind, data = "SRV", f"{record.priority} {record.weight} {record.port} {record.host}."
    elif isinstance(record, TLSA):
        kind, data = "TLSA", f"{record.usage} {record.selector} {record.mtype} {record.data.hex().upper()}"
    else:
        kind, data = "TYPE0", str(record)
    return f"{name}. {ttl} IN {kind} {data}"


async def filtered(maps: Maps, out: ILog, name: str, answer: Answer) -> Answer:
    """The answer without what is to be ignored. Trouble: nothing is left, or the table does not answer."""
    kept = []
    for record in answer.records:
        text = as_text(name, answer.ttl, record)
        try:
            value = await maps.lookup(text.encode("utf-8", "surrogateescape"))
        except TableError:
            log.table_problem(out, maps.title, name)
            raise Trouble(Dsn("4.3.0", "Temporary lookup error")) from None
        if value is not None and value.strip().upper().startswith(b"IGNORE"):
            log.record_ignored(out, text)
        else:
            kept.append(record)
    if answer.records and not kept:
        raise Trouble(Dsn("4.7.0", f"Error looking up {name}: DNS reply filter drops all results"))
    return answer._replace(records=tuple(kept))
