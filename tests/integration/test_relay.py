"""Mail through the system: in by SMTP, out by SMTP to a sink (SD-*, SM-*, SD-9, SM-6)."""

from __future__ import annotations

import shutil
import smtplib
import subprocess

from twisted.trial.unittest import SkipTest

from tests.integration.world import WorldCase, in_each_mode, new_token
from tests.kit.waiting import wait_for


@in_each_mode
class Relay(WorldCase):
    """With nothing but a relayhost."""

    def test_one_mail(self) -> None:
        """SD-9, LG-6: it is queued, relayed, and logged on its way."""
        mark = self.system.mark()
        token = self.world.send("user@far.example")
        message = self.world.got(token)
        self.assertEqual((message.sender, message.recipients), ("from@there.example", ["user@far.example"]))
        self.assertTrue(message.content.endswith(b"\r\n\r\nhello\r\n"))
        self.assertRegex(
            message.text,
            r"^Received: from client\.example \(unknown \[127\.0\.0\.1\]\)\n"
            r"\tby mx\.test\.example \(Postfix\) with ESMTP id \w+\n\tfor <user@far\.example>; \w{3}, ",
        )
        sent = self.assertLogged(r"to=<user@far\.example>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:\d+, .*status=sent", mark)
        self.assertRegex(sent, r"delay=[\d.]+, delays=[\d./]+, dsn=2\.0\.0, status=sent \(250 2\.0\.0 Ok: sunk\)$")
        self.assertLogged(r"qmgr\[\d+\]: \w+: removed", mark)

    def test_several_recipients(self) -> None:
        """SM-6: one transaction for all of a destination; those that are refused bounce alone."""
        names = [f"user{number}@far.example" for number in range(10)]
        token = self.world.send([*names, "perm-one@far.example"])
        self.assertEqual(sorted(self.world.got(token).recipients), names)
        notice = self.world.got("perm-one@far.example>: host")
        self.assertEqual((notice.sender, notice.recipients), ("", ["from@there.example"]))

    def test_eight_bit(self) -> None:
        """SD-6: BODY=8BITMIME is handed on, and the bytes are what they were."""
        body = "grüße\r\n".encode("latin-1")
        message = self.world.got(self.world.send("user@far.example", body=body, mail=["BODY=8BITMIME"]))
        self.assertIn("BODY=8BITMIME", message.mail_parameters)
        self.assertTrue(message.content.endswith(body))

    def test_dsn_parameters(self) -> None:
        """SD-6, SD-7: RET, ENVID, NOTIFY and ORCPT go on to a server that knows DSN."""
        token = self.world.send(
            "user@far.example",
            mail=["RET=HDRS", "ENVID=some+2Bid"],
            rcpt=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;first@orig.example"],
        )
        message = self.world.got(token)
        self.assertLessEqual({"RET=HDRS", "ENVID=some+2Bid"}, set(message.mail_parameters.split()))
        wanted = {"NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;first@orig.example"}
        self.assertEqual(set(message.parameters[0].split()), wanted)

    def test_smtputf8(self) -> None:
        """SD-3: addresses in UTF-8."""
        token = new_token()
        with smtplib.SMTP("127.0.0.1", self.world.port, timeout=30) as client:
            client.ehlo()
            client.mail("jö@there.example", ["SMTPUTF8", "BODY=8BITMIME"])
            client.rcpt("ü@far.example")
            client.data(f"Subject: ü\r\nX-Token: {token}\r\n\r\nb\r\n".encode())
        message = self.world.got(token)
        self.assertEqual((message.sender, message.recipients), ("jö@there.example", ["ü@far.example"]))
        self.assertIn("SMTPUTF8", message.mail_parameters)
        self.assertIn("with UTF8SMTP id", message.text)

    def test_dots_and_large(self) -> None:
        """Dots at the start of lines, and a megabyte, come out as they went in."""
        body = b".\r\n..\r\n.x\r\n" + (b"0123456789" * 7 + b"\r\n") * 15000 + b"end\r\n"
        message = self.world.got(self.world.send("user@far.example", body=body))
        self.assertTrue(message.content.endswith(b"\r\n\r\n" + body))

    def test_many_on_one_connection(self) -> None:
        """SD-5: transactions one after the other, RSET and a failed one between them."""
        tokens = []
        with smtplib.SMTP("127.0.0.1", self.world.port, timeout=30) as client:
            for number in range(20):
                token = new_token()
                client.sendmail("a@there.example", ["u@far.example"], f"X-Token: {token}\r\n\r\n{number}\r\n")
                tokens.append(token)
                client.rset()
                self.assertEqual(client.docmd("DATA")[0], 503)
        for token in tokens:
            self.world.got(token)

    def test_refusals(self) -> None:
        """SD-9: what is too large, or for nobody, is refused at once."""
        self.assertRegex(self.world.refused("user@far.example", mail=["SIZE=99999999999"]), r"^552 5\.3\.4 ")
        self.assertRegex(self.world.refused("nobody-here@test.example"), r"^550 5\.1\.1 .*User unknown in local")

    def test_hop_limit(self) -> None:
        """hopcount_limit: a mail that has gone round in a circle bounces."""
        reply = self.world.refused("user@far.example", headers="Received: from a by b\r\n" * 60)
        self.assertRegex(reply, r"^554 5\.4\.0 .*too many hops")

    def test_swaks(self) -> None:
        """A client that many use to try a server."""
        swaks = shutil.which("swaks")
        if not swaks:
            raise SkipTest("swaks is not installed")
        token = new_token()
        argv = [swaks, "--server", f"127.0.0.1:{self.world.port}", "--from", "s@there.example", "--to", "u@far.example"]
        argv += ["--header", f"X-Token: {token}", "--body", "text"]
        done = subprocess.run(argv, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn(b"250 2.0.0 Ok: queued as", done.stdout)
        self.world.got(token)

    def test_smtp_source(self) -> None:
        """Postfix's own load generator: 20 sessions at once, each mail arrives once."""
        source = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin")
        if not source:
            raise SkipTest("smtp-source is not installed")
        tag = new_token()
        argv = [source, "-s", "20", "-m", "200", "-l", "2000", "-f", "s@there.example", "-t", f"{tag}@far.example"]
        done = subprocess.run([*argv, f"127.0.0.1:{self.world.port}"], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_for(lambda: len(self.world.sink.all(tag)) >= 200, self.system.told, 30)
        self.pause(0.5)
        self.assertEqual(len(self.world.sink.all(tag)), 200)
