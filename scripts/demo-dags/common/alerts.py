"""Where failures are told."""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

CHANNELS = {
    "analytics": "#analytics-oncall",
    "crm": "#crm-data",
    "platform": "#data-platform",
    "ml": "#ml-ops",
}


def on_failure(context: dict) -> None:
    instance = context["task_instance"]
    owner = context["dag"].owner
    channel = CHANNELS.get(owner, "#data-platform")
    log.error("%s: %s.%s failed, try %s", channel, instance.dag_id, instance.task_id, instance.try_number)
