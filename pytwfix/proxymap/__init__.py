"""proxymap and proxywrite: tables that one process opens for all (LK-12, NP-9, PX-1).

Stands for Postfix's proxymap(8). Asked by tables named `proxy:type:name` whose answers come from a server, so that
there are few connections however many processes there are; what lies in files every process reads itself. Asks the
tables of its own host, and opens only what proxy_read_maps and proxy_write_maps list.
"""
