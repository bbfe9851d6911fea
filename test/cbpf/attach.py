"""Asks this machine's kernel about classic filters, one JSON object a line on stdin, one answer a line.

{"filters": [[code, jt, jf, k], ...], "data": hex} -> {"accepted": true, "length": bytes that passed the filter}
Touches a socket pair of its own and nothing else (SO_ATTACH_FILTER, SO_DETACH_FILTER).
"""

import ctypes
import json
import os
import socket
import struct
import sys

SO_ATTACH_FILTER = 26
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
right.setblocking(False)
print(json.dumps({"cpu": min(os.sched_getaffinity(0))}), flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    filters = b"".join(struct.pack("=HBBI", *each) for each in ask["filters"])
    memory = ctypes.create_string_buffer(filters, len(filters))
    program = struct.pack("HL", len(ask["filters"]), ctypes.addressof(memory))
    length = 0
    try:
        right.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except OSError:
        print(json.dumps({"accepted": False}), flush=True)
        continue
    if "data" in ask:
        try:
            left.send(bytes.fromhex(ask["data"]))
            length = len(right.recv(65536))
        except OSError:
            length = 0
    print(json.dumps({"accepted": True, "length": length}), flush=True)
