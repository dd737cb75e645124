"""tlsrpt: reports to domains about TLS to their mail servers (RFC 8460; TL-10).

The SMTP client counts sessions into files; when the day is over this room makes a report a domain of them, keeps it for
a while, and sends it where the domain wants it: by mail through cleanup, or to a web server. Asked by nobody. Stands
for no Postfix program: there a collector outside does this.
"""
