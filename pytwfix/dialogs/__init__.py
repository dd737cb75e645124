"""Wire languages as pure machines: bytes in, events out, no sockets, no clock.

Each machine has `receive(bytes)`, `next_event()`, and `data_to_send()`; who owns the socket moves the bytes. A peer's
bad input is an event or a reply, never an exception.
"""
