"""Content filters that speak SMTP: after the queue, with reinjection as FILTER_README has it, and before it (SD-44,
SD-48, SD-52, SD-54)."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence

from tests.integration.world import World, WorldCase, in_each_mode, new_token
from tests.kit.mailsystem import listener
from tests.kit.proxyfilter import ProxyFilter, Refusal
from tests.kit.sinks import Received
from tests.kit.waiting import free_port, wait_for

_PEER = r"unknown\[127\.0\.0\.1\]"


def _change(content: bytes) -> bytes:
    if b"VIRUS" in content:
        raise Refusal("554 5.7.1 there is a virus in it")
    if b"LATER" in content:
        raise Refusal("451 4.7.1 ask me later")
    return b"X-Filtered: yes\r\n" + content.replace(b"secret", b"public")


class FilterWorld(World):
    """A port with a filter after the queue, one before it, one where it stores first, and where mail comes back."""

    def prepare(self) -> None:
        self.back, self.before, self.adjusted, self.gone = (free_port() for _ in range(4))
        self.filter = ProxyFilter(self.back, _change)
        self.closers.append(self.filter.close)

    def main(self) -> Mapping[str, str]:
        return {
            "mynetworks": "127.0.0.0/8, 192.0.2.0/24",
            "virtual_alias_maps": "inline:{al@far.example=expanded@far.example}",
            "header_checks": "regexp:@CONFIG@/headers", "smtp_send_xforward_command": "yes",
            "smtpd_authorized_xforward_hosts": "127.0.0.0/8", "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
        }  # fmt: skip

    def tables(self) -> Mapping[str, str]:
        return {"headers": "/^Subject: checked/ PREPEND X-Checked: yes\n/^X-Filtered:/ REJECT it was checked twice\n"}

    def services(self) -> Sequence[str]:
        where = f"127.0.0.1:{self.filter.port}"
        return [
            listener(self.port, f"content_filter = scan:[127.0.0.1]:{self.filter.port}",
                     "receive_override_options = no_address_mappings"),
            "scan unix - - n - 10 smtp -o smtp_send_xforward_command=yes -o disable_mime_output_conversion=yes",
            listener(self.back, "content_filter =", "smtpd_recipient_restrictions = permit_mynetworks, reject",
                     "receive_override_options = no_unknown_recipient_checks, no_header_body_checks, no_milters",
                     "smtpd_helo_restrictions =", "smtpd_client_restrictions =", "smtpd_sender_restrictions ="),
            listener(self.before, f"smtpd_proxy_filter = {where}"),
            listener(self.adjusted, f"smtpd_proxy_filter = {where}", "smtpd_proxy_options = speed_adjust"),
            listener(self.gone, f"smtpd_proxy_filter = 127.0.0.1:{free_port()}"),
        ]  # fmt: skip

    def ports(self) -> Sequence[int]:
        return [self.port, self.back, self.before, self.adjusted, self.gone]


@in_each_mode
class Filters(WorldCase):
    world_class = FilterWorld
    world: FilterWorld

    def from_client(self, port: int, body: str = "a secret\r\n", to: Sequence[str] = ("al@far.example",)) -> str:
        """A mail of client 192.0.2.7; its token. Raises what smtplib raises."""
        token = new_token()
        with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=30) as client:
            client.ehlo()
            client.docmd("XCLIENT", "ADDR=192.0.2.7 NAME=spike.example")
            client.ehlo("their.example")
            head = f"From: <a@there.example>\r\nSubject: checked\r\nX-Token: {token}\r\n\r\n"
            client.sendmail("a@there.example", list(to), head + body)
        return token

    def filtered(self, token: str) -> Received:
        """As it went through the filter."""
        return next(one for one in self.world.filter.passed if one.token().decode() == token)

    def test_after_queue(self) -> None:
        """SD-54, SD-52, SD-44: the filter sees the address as it came, its mail comes back and is expanded once."""
        mark = self.system.mark()
        token = self.from_client(self.world.port)
        message = self.world.got(token)
        self.assertEqual(["expanded@far.example"], message.recipients)
        self.assertIn("a public\n", message.text)
        self.assertTrue("\nX-Filtered: yes\n" in message.text and "\nX-Checked: yes\n" in message.text, message.text)
        self.assertEqual(1, message.text.count("X-Checked"))
        before = self.filtered(token)
        self.assertEqual(["al@far.example"], before.recipients)
        told = {name: before.forwarded.get(name) for name in ("NAME", "ADDR", "PROTO", "HELO")}
        wanted = {"NAME": "spike.example", "ADDR": "192.0.2.7", "PROTO": "ESMTP", "HELO": "their.example"}
        self.assertEqual(wanted, told)
        self.assertLogged(r"relay=127\.0\.0\.1\[127\.\S+, .*status=sent \(250 2\.0\.0 Ok: queued as \w+\)", mark)
        self.assertLogged(rf"client={_PEER}, orig_queue_id=\w+, orig_client=spike\.example\[192\.0\.2\.7\]$", mark)
        wait_for(self.system.empty, self.system.told)

    def test_after_queue_refused(self) -> None:
        """SD-54: what the filter refuses comes back to the sender; what it puts off stays."""
        mark = self.system.mark()
        self.from_client(self.world.port, "VIRUS\r\n")
        line = self.assertLogged(r"to=<al@far\.example>, .*status=bounced", mark)
        self.assertIn("said: 554 5.7.1 there is a virus in it (in reply to end of DATA command)", line)
        mark = self.system.mark()
        self.from_client(self.world.port, "LATER\r\n")
        self.assertLogged(r"to=<al@far\.example>, .*dsn=4\.7\.1, status=deferred", mark)
        self.system.ask("postsuper", "-d", "ALL")

    def before_queue(self, port: int) -> None:
        mark = self.system.mark()
        token = self.from_client(port, to=["al@far.example", "b@far.example"])
        self.assertEqual(["b@far.example", "expanded@far.example"], sorted(self.world.got(token).recipients))
        self.assertIn("a public\n", self.world.got(token).text)
        forwarded = self.filtered(token).forwarded
        self.assertEqual(("spike.example", "192.0.2.7"), (forwarded.get("NAME"), forwarded.get("ADDR")))
        self.assertLogged(r"NOQUEUE: client=spike\.example\[192\.0\.2\.7\]$", mark)
        self.assertLogged(
            r"proxy-accept: END-OF-MESSAGE: 250 2\.0\.0 Ok: queued as \w+; from=<a@there\.example> "
            r"to=<al@far\.example> proto=ESMTP helo=<their\.example>$", mark,
        )  # fmt: skip
        self.assertLogged(rf"client={_PEER}, orig_client=spike\.example\[192\.0\.2\.7\]$", mark)

    def test_before_queue(self) -> None:
        """SD-48: nothing is queued before the filter has had it; its answer is the client's."""
        self.before_queue(self.world.before)

    def test_stored_first(self) -> None:
        """SD-48: speed_adjust."""
        self.before_queue(self.world.adjusted)

    def test_before_queue_refused(self) -> None:
        """SD-48, LG-4: the filter's refusal is the client's, and is logged; the session goes on."""
        for port in (self.world.before, self.world.adjusted):
            mark = self.system.mark()
            replies = {"VIRUS": (554, b"5.7.1 there is a virus in it"), "LATER": (451, b"4.7.1 ask me later")}
            for body, said in replies.items():
                with self.assertRaises(smtplib.SMTPDataError) as caught:
                    self.from_client(port, f"{body}\r\n")
                self.assertEqual(said, (caught.exception.smtp_code, caught.exception.smtp_error))
            self.assertLogged(
                r"proxy-reject: END-OF-MESSAGE: 554 5\.7\.1 there is a virus in it; from=<a@there\.example> "
                r"to=<al@far\.example> proto=ESMTP helo=<their\.example>$", mark,
            )  # fmt: skip

    def test_nobody_there(self) -> None:
        """SD-48: 451, and a warning."""
        mark = self.system.mark()
        said = self.world.refused("user@far.example", port=self.world.gone)
        self.assertEqual("451 4.3.0 Error: queue file write error", said)
        self.assertLogged(r"smtpd\[\d+\]: warning: connect to proxy filter 127\.0\.0\.1:\d+: Connection refused$", mark)

    def test_large(self) -> None:
        """SD-48: a body of some megabytes, dots and all, is the same behind the filter."""
        body = "".join(f"{number}\r\n.{number}\r\n..\r\n" for number in range(60000))
        for port in (self.world.before, self.world.adjusted, self.world.port):
            token = self.from_client(port, body)
            text = self.world.got(token, seconds=60).text
            self.assertEqual(body.replace("\r\n", "\n"), text.partition("\n\n")[2])
