"""OPC UA: a server beside the panel that shows the cell with PackML names and takes its process commands.

It runs in a process of its own and is nothing but a client of the panel: it reads the live stream with a viewer's token,
and a method is the panel's REST command, given with the token of the OPC UA user who calls it. Rights, control, audit and
refusals are therefore those of the panel. The names follow PackML; conformance to OPC 30050 is not claimed.
"""
