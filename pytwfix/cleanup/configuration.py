"""The parameters of one settings snapshot, parsed once (INVENTORY CL-*, CA-*)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytwfix.basics.cescapes import unescape
from pytwfix.cleanup.masquerade import Masquerade
from pytwfix.cleanup.settings import CleanupSettings
from pytwfix.net.milter.filters import Filter, FilterError, parse_filters
from pytwfix.net.milter.macros import MacroLists
from pytwfix.settings.machine import own_addresses
from pytwfix.settings.services import ServiceSettings
from pytwfix.tables.maps import Maps
from pytwfix.tables.matchlists import StringList
from pytwfix.tables.names import split_list

if TYPE_CHECKING:
    from pytwfix.contracts.host import IHost


class Canonical:
    """The three canonical tables for one class of addresses, such as envelope_sender."""

    __slots__ = ("maps", "masquerade")

    def __init__(self, maps: list[Maps], masquerade: Masquerade | None) -> None:
        self.maps = maps
        self.masquerade = masquerade

    def __bool__(self) -> bool:
        return bool(self.maps) or self.masquerade is not None


class Configuration:
    """See the module."""

    def __init__(self, host: IHost, cfg: CleanupSettings) -> None:
        self.settings = cfg
        self.host = host
        self._envelope(cfg)
        self._canonical(cfg)
        self._checks(cfg)
        self._headers(cfg)
        self._milters(host, cfg)
        self.flow_delay = host.settings(ServiceSettings).in_flow_delay
        self.filters_internal = frozenset(split_list(cfg.internal_mail_filter_classes))

    def maps(self, names: str, title: str) -> Maps:
        return Maps(self.host.tables, names, title, log=self.host.log)

    def _envelope(self, cfg: CleanupSettings) -> None:
        self.aliases = self.maps(cfg.virtual_alias_maps, "virtual_alias_maps")
        self.sender_bcc = self.maps(cfg.sender_bcc_maps, "sender_bcc_maps")
        self.recipient_bcc = self.maps(cfg.recipient_bcc_maps, "recipient_bcc_maps")
        self.always_bcc = cfg.always_bcc.encode()
        self.delimiter = cfg.recipient_delimiter.encode()
        self.empty_recipient = cfg.empty_address_recipient.encode()
        propagate = split_list(cfg.propagate_unmatched_extensions)
        self.propagate_canonical = "canonical" in propagate
        self.propagate_virtual = "virtual" in propagate
        self.expansion_limit = cfg.virtual_alias_expansion_limit
        self.recursion_limit = cfg.virtual_alias_recursion_limit
        self.address_limit = cfg.virtual_alias_address_length_limit
        self.duplicate_limit = cfg.duplicate_filter_limit
        self.keep_original = cfg.enable_original_recipient
        self.size_limit = cfg.message_size_limit
        self.attribute_limit = cfg.queue_file_attribute_count_limit
        self._warn_after = cfg.delay_warning_time
        self.utf8 = cfg.smtputf8_enable
        self.destinations = StringList(self.host.tables, cfg.mydestination, "mydestination")
        self.origin = cfg.myorigin.encode().lower()
        self.literals = own_addresses(cfg.inet_interfaces) | own_addresses(cfg.proxy_interfaces)

    def _canonical(self, cfg: CleanupSettings) -> None:
        masquerade = Masquerade(cfg.masquerade_domains, cfg.masquerade_exceptions)
        tables = (
            (cfg.sender_canonical_maps, "sender_canonical_maps", split_list(cfg.sender_canonical_classes)),
            (cfg.recipient_canonical_maps, "recipient_canonical_maps", split_list(cfg.recipient_canonical_classes)),
            (cfg.canonical_maps, "canonical_maps", split_list(cfg.canonical_classes)),
        )
        opened = [(self.maps(names, title), classes) for names, title, classes in tables if names]
        masqueraded = split_list(cfg.masquerade_classes)

        def of(kind: str) -> Canonical:
            hide = masquerade if masquerade and kind in masqueraded else None
            return Canonical([maps for maps, classes in opened if kind in classes], hide)

        self.envelope_sender = of("envelope_sender")
        self.envelope_recipient = of("envelope_recipient")
        self.header_sender = of("header_sender")
        self.header_recipient = of("header_recipient")

    def _checks(self, cfg: CleanupSettings) -> None:
        self.header_checks = self._check_maps(cfg.header_checks, "header_checks")
        self.mime_header_checks = self._check_maps(cfg.mime_header_checks, "mime_header_checks")
        self.nested_header_checks = self._check_maps(cfg.nested_header_checks, "nested_header_checks")
        self.body_checks = self._check_maps(cfg.body_checks, "body_checks")
        self.checks = any((self.header_checks, self.mime_header_checks, self.nested_header_checks, self.body_checks))
        self.body_limit = cfg.body_checks_size_limit
        self.mime = not cfg.disable_mime_input_processing
        self.strict_7bit_headers = cfg.strict_7bit_headers or cfg.strict_8bitmime
        self.strict_8bit_body = cfg.strict_8bitmime_body or cfg.strict_8bitmime
        self.strict_encoding = cfg.strict_mime_encoding_domain
        self.strict = self.mime and (self.strict_7bit_headers or self.strict_8bit_body or self.strict_encoding)
        self.convert = self.mime and cfg.force_mime_input_conversion
        self.detect_8bit = cfg.detect_8bit_encoding_header
        self.nesting_limit = cfg.mime_nesting_limit
        self.boundary_limit = cfg.mime_boundary_length_limit
        self.fix_stray = cfg.cleanup_replace_stray_cr_lf
        self.end_of_header = cfg.non_empty_end_of_header_action
        self.strip_characters = _characters(cfg.message_strip_characters)
        self.reject_characters = _characters(cfg.message_reject_characters)

    def warn_time(self, arrival: float) -> float:
        """When the sender of a mail that arrived then is to be told of a delay; 0: never."""
        return arrival + self._warn_after if self._warn_after else 0.0

    def _check_maps(self, names: str, title: str) -> Maps:
        """Checks see raw bytes and both letter cases: no UTF-8 test, no folding (INVENTORY LK-10)."""
        return Maps(self.host.tables, names, title, flags=0, log=self.host.log)

    def _milters(self, host: IHost, cfg: CleanupSettings) -> None:
        self.milter_header_checks = self._check_maps(cfg.milter_header_checks, "milter_header_checks")
        self.macro_lists = MacroLists(cfg)
        self.milters: list[Filter] = []
        try:
            self.milters = parse_filters(cfg.non_smtpd_milters, cfg)
        except FilterError as error:
            host.log.fatal(str(error))

    def _headers(self, cfg: CleanupSettings) -> None:
        self.hopcount = cfg.hopcount_limit
        self.header_limit = cfg.header_size_limit
        self.token_limit = cfg.header_address_token_limit
        self.drop = frozenset(name.lower().encode() for name in split_list(cfg.message_drop_headers))
        self.add_missing = cfg.always_add_missing_headers
        self.rewrite_remote = bool(cfg.remote_header_rewrite_domain)
        self.undisclosed = cfg.undisclosed_recipients_header
        self.tls_required = cfg.tls_required_enable
        self.requiretls_header = cfg.requiretls_enable and cfg.requiretls_esmtp_header
        self.hostname = cfg.myhostname
        self.standard_from = cfg.header_from_format.lower() != "obsolete"
        self.name_charset = cfg.full_name_encoding_charset


def _characters(text: str) -> bytes:
    r"""message_strip_characters: `\0` and its like stand for single characters."""
    return unescape(text).encode("latin-1", "replace")
