"""Parameters that a reload does not change: what is bound, locked and owned stays so until the next start (MA-5)."""

from __future__ import annotations

from pytwfix.master.mandatory import check_mandatory
from pytwfix.master.plan import Plan, read_plan

NAMES = ("inet_interfaces", "inet_protocols", "queue_directory", "data_directory", "mail_owner", "setgid_group")


def read_again(old: Plan) -> tuple[Plan, list[str]]:
    """The configuration as it is now with these parameters as they were, and what to warn about. SettingsError."""
    plan = read_plan(old.directory)
    warnings: list[str] = []
    main = plan.main
    for name in NAMES:
        before, now = getattr(old.settings, name), getattr(plan.settings, name)
        if before == now:
            continue
        warnings += [
            f"ignoring {name} parameter value change",
            f'old value: "{before}", new value: "{now}"',
            f"to change {name}, stop and start Postfix",
        ]
        main.values[name] = before
    if warnings:
        plan = Plan(plan.directory, main, plan.services)
    plan.settings.validate()
    check_mandatory(plan.snapshot, f"{plan.directory}/main.cf")
    return plan, warnings
