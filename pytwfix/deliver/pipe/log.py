"""pipe's own log lines (PI-1)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog


def bad_service(log: ILog, config_directory: str, service: str, trouble: str) -> None:
    log.warning(f"file {config_directory}/master.cf: service {service}: {trouble}")


def time_limit(log: ILog) -> None:
    log.warning("pipe_command_read: read time limit exceeded")


def not_run(log: ILog, text: str) -> None:
    log.fatal(text)
