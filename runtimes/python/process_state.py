"""What of the process a task decides: environment, resource limits, random numbers, signals."""
import private_builtins

__builtins__ = private_builtins.table

import os
import signal
import sys
import time
from resource import RLIM_INFINITY, getrlimit, setrlimit

_U64_MAX = (1 << 64) - 1


def replace_environment(entries):
    """Makes `entries` (b"NAME=value") all of the environment, in os.environ and in the C library.

    What is not `NAME=value` is left out, as os.environ leaves it out.
    """
    wanted = {}
    for entry in entries:
        name, equals, value = entry.partition(b"=")
        if name and equals:
            wanted.setdefault(name, value)
    environment = os.environb
    timezone = environment.get(b"TZ")
    for name in [name for name in environment if name not in wanted]:
        del environment[name]
    for name, value in wanted.items():
        if environment.get(name) != value:
            environment[name] = value
    if environment.get(b"TZ") != timezone:
        time.tzset()


def lower_limits(limits):
    """Sets resource limits (setrlimit(2): number, soft, hard); none becomes higher than it is.

    Raises OSError, ValueError.
    """
    for resource, soft, hard in limits:
        hard = min(hard, _unsigned(getrlimit(resource)[1]))
        setrlimit(resource, (_signed(min(soft, hard)), _signed(hard)))


def _unsigned(value):
    return _U64_MAX if value == RLIM_INFINITY else value


def _signed(value):
    return RLIM_INFINITY if value >= _U64_MAX else value


def reseed_random():
    """Gives generators that were there before a fork a state of their own."""
    for name in ("random", "numpy.random"):
        module = sys.modules.get(name)
        if module is not None:
            module.seed()


def restore_signals():
    """The dispositions with which an interpreter starts; whoever forked may have reset them."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
