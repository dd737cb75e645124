"""Command lines that a real Postfix and ours are asked, while the mail system is down.

$hold, $deferred and $incoming are queue IDs, @ is the directory with etc/, queue/, data/ and log/. A line that begins
with `nobody` is run as that user.
"""

from __future__ import annotations

MAIL = b"Subject: x\nFrom: me@here.example\nTo: a@x.example, b@y.example\n\nhi\n"

LINES = """\
postqueue
postqueue -p
postqueue -f
postqueue -i $deferred
postqueue -i NOSUCH
postqueue -i ../x
postqueue -i
postqueue -s x.example
postqueue -s [1.2.3.4]
postqueue -s bad/site
postqueue -s x.example -p
postqueue -p -j
postqueue -z
postqueue -p extra
postqueue -c /nonexistent -p
postqueue --help
postsuper
postsuper -d $hold
postsuper -d $deferred
postsuper -d NOSUCH
postsuper -d ALL
postsuper -d all
postsuper -d ALL hold
postsuper -d ALL deferred hold
postsuper -d ALL nosuch
postsuper -d $hold deferred
postsuper -h $deferred
postsuper -h ALL
postsuper -h $hold
postsuper -H $hold
postsuper -H $deferred
postsuper -H ALL
postsuper -r $hold
postsuper -r ALL deferred
postsuper -e $deferred
postsuper -f $hold
postsuper -f $deferred
postsuper -e ALL
postsuper -d $hold -r $deferred
postsuper -d $hold -h $deferred -e $incoming
postsuper -d
postsuper -d ''
postsuper -d ../x
postsuper -z
postsuper -p
postsuper -s
postsuper -S
postsuper -s nosuch
postsuper -c /nonexistent -s
nobody postsuper -d $hold
nobody postsuper -d ALL nosuch
nobody postsuper -z
postcat -q $hold
postcat -q NOSUCH
postcat -q
postcat -b -q $hold
postcat -h -q $hold
postcat -e -q $hold
postcat -bh -q $hold
postcat -o -q $hold
postcat -d -q $hold
postcat -r -q $hold
postcat -s -q $hold
postcat -ehb -q $hold $deferred
postcat /nonexistent
postcat /etc/passwd
postcat -c /nonexistent -q $hold
postcat -q ../hold/$hold
postcat
nobody postcat -q $hold
postlog hello world
postlog -p warn hello
postlog -t tag hello
postlog -i hello
postkick public qmgr D
postkick public
postkick nosuch x y
postlock
postlock /nonexistent/file true
postlock @/log/x true
postlock @/log/x false
postlock @/log/x sh -c 'exit 7'
postlock @/log/x nosuchcommand
postlock -l dotlock @/log/x true
postlock -l nosuch @/log/x true
postlock @/log/x
postfix status
postfix stop
postfix reload
postfix abort
postfix nosuch
postfix flush
qshape
qshape deferred
qshape -s deferred
qshape -b 5 -t 10 deferred
qshape -l deferred
qshape hold
qshape -p deferred
qshape -m 1 deferred
sendmail a@x.example
sendmail
sendmail -t
sendmail -t c@z.example
sendmail -bv a@x.example
sendmail -bp
sendmail -bt
sendmail -bh
sendmail -bH
sendmail -bD
sendmail -q
sendmail -q15m
sendmail -qI
sendmail -qI$deferred
sendmail -qRx.example
sendmail -qR
sendmail -qSx
sendmail -qz
sendmail -N never a@x
sendmail -N bogus a@x
sendmail -N success,never a@x
sendmail -N success,failure a@x
sendmail -R full a@x
sendmail -R bogus a@x
sendmail -V id1 a@x
sendmail -V 'an id' a@x
sendmail -V '' a@x
sendmail -XV a@x
sendmail -XV+= a@x
sendmail -XV= a@x
sendmail -Bbogus a@x
sendmail -B8BITMIME a@x
sendmail -B7BIT a@x
sendmail -Obogus=1 a@x
sendmail -Am a@x
sendmail -f s@y a@x
sendmail -f '' a@x
sendmail -f '<>' a@x
sendmail -f 'a b@c' a@x
sendmail -f 'x@y (comment)' a@x
sendmail -f 'a@b, c@d' a@x
sendmail -f s@y -r s2@y a@x
sendmail -F 'Full Name' a@x
sendmail -h 3 a@x
sendmail -i a@x
sendmail -oAfile a@x
sendmail -o7 a@x
sendmail -oem a@x
sendmail -odi a@x
sendmail -L label a@x
sendmail -m a@x
sendmail -U a@x
sendmail -G a@x
sendmail -e a@x
sendmail -p x a@x
sendmail -bp a@x
sendmail -bi a@x
sendmail -- -a@x
sendmail 'a@x,b@y' c@z
sendmail 'A B <a@x>'
sendmail '"a b"@x'
sendmail ''
sendmail '<>'
sendmail '@x'
sendmail 'a@'
sendmail a b c d
sendmail -C /nonexistent a@x
sendmail -it
sendmail -itf s@y
sendmail -vt
""".splitlines()

INPUTS = (
    b"", b"\n", b"no header\n\nx\n", b"To: a@x\n", b"To: a@x\n.\nmore\n", b"To: a@x\r\n\r\nhi\r\n",
    b"From x\nTo: a@x\n\nhi\n", b"To: a@x\nBcc: b@y\n\nx\0y\n", b"To: undisclosed:;\n\nx\n",
    b"Resent-To: r@x\nTo: a@x\n\nx\n", b'To: "a b"@x, (c) d@x\n e@x\n\nx\n', b"Cc: a@x\n\nno end",
    b"To: " + b", ".join(b"u%d@x" % number for number in range(300)) + b"\n\nx\n", b"To: caf\xc3\xa9@x\n\nx\n",
    b"To: a@x\n\n" + b"z" * 3000 + b"\n",
)  # fmt: skip
