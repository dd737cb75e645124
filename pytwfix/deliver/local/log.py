"""local's own log lines (LO-*, AL-*)."""

from __future__ import annotations

from pytwfix.contracts.host import ILog


def alias_loop(log: ILog, name: str) -> None:
    log.warning(f"alias database loop for {name}")


def bad_extension(log: ILog, queue_id: str, local: str) -> None:
    """An extension that would lead out of the folder of .forward files."""
    log.warning(f"{queue_id}: address with illegal extension: {local}")


def no_alias(log: ILog, name: str) -> None:
    log.warning(f"required alias not found: {name}")


def alias_lookup(log: ILog, table: str, name: str) -> None:
    log.warning(f"{table}: lookup of '{name}' failed")


def empty_alias(log: ILog, name: str) -> None:
    log.warning(f"no recipient in alias lookup result for {name}")


def file_trouble(log: ILog, text: str) -> None:
    """About a .forward or :include: file."""
    log.warning(text)


def passing(log: ILog, queue_id: str, recipient: str, transport: str) -> None:
    log.info(f"{queue_id}: passing <{recipient}> to transport={transport}")


def unknown_transport(log: ILog, transport: str) -> None:
    log.warning(f"unknown mail delivery transport: {transport}")


def own_transport(log: ILog, transport: str) -> None:
    log.warning(f"mailbox_transport or fallback_transport leads back to transport={transport}")


def maildir_access(log: ILog, uid: int, gid: int, text: str) -> None:
    log.warning(f"maildir access problem for UID/GID={uid}/{gid}: {text}")
    log.warning("perhaps you need to create the maildirs in advance")


def ownership(log: ILog) -> None:
    log.warning('specify "strict_mailbox_ownership = no" to ignore mailbox ownership mismatch')


def command_time_limit(log: ILog) -> None:
    log.warning("pipe_command_read: read time limit exceeded")


def command_not_run(log: ILog, text: str) -> None:
    log.fatal(text)


def bad_privileges(log: ILog, name: str) -> None:
    log.error(f"default_privs: {name} is not a user that may be used")


def forwarding(log: ILog, queue_id: str, reason: str) -> None:
    log.warning(f"{queue_id}: cannot forward: {reason}")


def no_biff(log: ILog, service: str) -> None:
    log.warning(f"service not found: {service}/udp: users are not told of new mail")


def biff_failed(log: ILog, reason: str) -> None:
    log.warning(f"biff: {reason}: users are not told of new mail")


def bad_home_syntax(log: ILog, name: str) -> None:
    log.warning(f"bad home directory syntax for: {name}")


def unknown_home(log: ILog, name: str) -> None:
    log.warning(f"unknown home directory for: {name}")
