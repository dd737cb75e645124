"""spawn's own log lines (SP-1)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog


def bad_service(log: ILog, config_directory: str, service: str, trouble: str) -> None:
    log.warning(f"file {config_directory}/master.cf: service {service}: {trouble}")


def ended(log: ILog, command: str, status: int) -> None:
    """Not with 0."""
    if status < 0:
        log.warning(f"command {command} killed by signal {-status}")
    else:
        log.warning(f"command {command} exit status {status}")


def time_limit(log: ILog, command: str) -> None:
    log.warning(f"{command}: process time limit exceeded")


def failed(log: ILog, command: str, text: str) -> None:
    log.warning(f"command {command}: {text}")
