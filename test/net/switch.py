"""An Ethernet switch of the tests: a TAP device in each network namespace, frames passed between them.

Arguments: NAMESPACE=DEVICE=ADDRESS/BITS ..., an empty namespace for this one. Says "ready". Then it
takes orders from standard input, a line each: "cut DEVICE" (its frames vanish both ways, as with a
cable that is cut: nobody is told), "mend DEVICE", "shape DELAY_MS LOSS" (of every frame). Ends with its
standard input.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000
FRAME_BYTES_MAX = 65536

libc = ctypes.CDLL(None, use_errno=True)


def enter(path):
    descriptor = os.open(path, os.O_RDONLY)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns", path)
    os.close(descriptor)


def attach(namespace, device, address):
    if namespace:
        enter(f"/run/netns/{namespace}")
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", device.encode(), IFF_TAP_NO_PI))
    for order in (
        ["addr", "add", address, "dev", device],
        ["link", "set", device, "up"],
        ["link", "set", "lo", "up"],
    ):
        subprocess.run(["ip", *order], check=True)
    enter("/proc/self/fd/%d" % home)
    return tap


home = os.open("/proc/self/ns/net", os.O_RDONLY)
taps = {}
for argument in sys.argv[1:]:
    namespace, device, address = argument.split("=")
    taps[device] = attach(namespace, device, address)
cut = set()
delay_s = 0.0
loss = 0.0
under_way = []
sequence = 0
orders = b""
print("ready", flush=True)

while True:
    wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
    readable, _, _ = select.select([0, *taps.values()], [], [], wait)
    if 0 in readable:
        read = os.read(0, 4096)
        if not read:
            break
        orders += read
        while b"\n" in orders:
            line, orders = orders.split(b"\n", 1)
            order, *values = line.decode().split()
            if order == "cut":
                cut.add(values[0])
            elif order == "mend":
                cut.discard(values[0])
            elif order == "shape":
                delay_s = float(values[0]) / 1000
                loss = float(values[1])
            print("done", flush=True)
    for device, tap in taps.items():
        while tap in readable:
            try:
                frame = os.read(tap, FRAME_BYTES_MAX)
            except BlockingIOError:
                break
            if device in cut or random.random() < loss:
                continue
            sequence += 1
            heapq.heappush(under_way, (time.monotonic() + delay_s, sequence, device, frame))
    now = time.monotonic()
    while under_way and under_way[0][0] <= now:
        _, _, source, frame = heapq.heappop(under_way)
        for device, tap in taps.items():
            if device == source or device in cut:
                continue
            try:
                os.write(tap, frame)
            except BlockingIOError:
                pass  # its queue is full: a switch drops, too
