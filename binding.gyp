{
  "targets": [
    {
      "target_name": "dagmount",
      "sources": ["native/addon.c", "native/mount.c", "native/channel.c", "native/notify.c", "native/supervisor/handover.c"],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags_c": ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fvisibility=hidden"],
      "conditions": [
        ["OS!='linux'", { "type": "none", "sources!": ["native/addon.c", "native/mount.c", "native/channel.c", "native/notify.c", "native/supervisor/handover.c"] }]
      ]
    },
    {
      "target_name": "dagmount-supervisor",
      "type": "executable",
      "sources": ["native/supervisor/supervisor.c", "native/supervisor/machine.c", "native/supervisor/transitions.c", "native/supervisor/messages.c", "native/supervisor/server.c", "native/supervisor/store.c", "native/supervisor/systemd.c", "native/supervisor/holding.c", "native/supervisor/fd-message.c", "native/supervisor/stacks.c", "native/supervisor/threads.c", "native/supervisor/log.c"],
      "defines": ["_GNU_SOURCE"],
      "include_dirs=": [],
      "cflags_c": ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror"],
      "conditions": [
        ["OS!='linux'", { "type": "none", "sources!": ["native/supervisor/supervisor.c", "native/supervisor/machine.c", "native/supervisor/transitions.c", "native/supervisor/messages.c", "native/supervisor/server.c", "native/supervisor/store.c", "native/supervisor/systemd.c", "native/supervisor/holding.c", "native/supervisor/fd-message.c", "native/supervisor/stacks.c", "native/supervisor/threads.c", "native/supervisor/log.c"] }]
      ]
    },
    {
      "target_name": "dagmount-holder",
      "type": "executable",
      "sources": ["native/holder/holder.c", "native/supervisor/fd-message.c", "native/supervisor/log.c"],
      "defines": ["_GNU_SOURCE"],
      "include_dirs=": [],
      "cflags_c": ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror"],
      "conditions": [
        ["OS!='linux'", { "type": "none", "sources!": ["native/holder/holder.c", "native/supervisor/fd-message.c", "native/supervisor/log.c"] }]
      ]
    }
  ]
}
