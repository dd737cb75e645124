"""tlsmgr: TLS sessions that outlive the connection they were made on, shared by all who ask (TM-1, TL-5; RFC 8446 2.2).

Asked by the SMTP and LMTP client. Stands for Postfix's tlsmgr(8); randomness comes from the kernel, so that nothing of
its seed file is needed.
"""
