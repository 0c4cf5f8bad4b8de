"""The host's side of ARMLINK: from bytes on a port to an `ArmDriver`.

From the bottom: `frame` and `record_codec` make bytes of messages, whose classes are generated from `messages.toml`;
`send_window`, `clock_sync` and `line_budget` deliver them; `session` is one arm at the end of one line, without
input or output of its own; `transport` runs all lines in a process of their own; `serial_arm` is the driver.
"""
