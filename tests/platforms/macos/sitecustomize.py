"""On PYTHONPATH, this lets lstmcast run as if on macOS, as far as that can be had elsewhere.

The package is told that the system is Darwin; it finds none of the names of `os` and `signal` that
macOS lacks, no `renameat2` and no glibc, no /proc and no /sys, and a peak of memory in bytes.
Everything else, the libraries too, sees the true system: what they do on macOS is not tried here.
"""

import builtins
import ctypes
import os
import resource
import signal
import sys
from types import ModuleType, SimpleNamespace

ABSENT_NAMES = {
    "os": {
        *("sched_getaffinity", "sched_setaffinity", "fdatasync", "posix_fadvise"),
        *("copy_file_range", "memfd_create", "pidfd_open", "eventfd", "splice"),
        *("O_TMPFILE", "O_DIRECT", "O_PATH", "getrandom", "getxattr", "setxattr"),
    },
    "signal": {"SIGRTMIN", "SIGRTMAX", "SIGPOLL", "SIGPWR", "sigtimedwait"},
}
_LINUX_FUNCTIONS = {"renameat2", "mallopt", "prctl"}
_LINUX_FOLDERS = ("/proc/", "/sys/")


class _Library:
    """A library of C without the functions that only Linux has."""

    def __init__(self, name, **named) -> None:
        if name is not None:
            raise OSError(f"dlopen({name}): no such file")
        self._whole = ctypes.CDLL(None, **named)

    def __getattr__(self, name: str):
        if name in _LINUX_FUNCTIONS:
            raise AttributeError(name)
        return getattr(self._whole, name)


def _getrusage(who: int):
    """The same figures, with the largest resident set in bytes."""
    peak = resource.getrusage(who).ru_maxrss * 1024
    return SimpleNamespace(ru_maxrss=peak)


REPLACED = {
    "sys": {"platform": "darwin"},
    "ctypes": {"CDLL": _Library},
    "resource": {"getrusage": _getrusage},
}


class _Restricted(ModuleType):
    """A module as macOS has it."""

    def __init__(self, whole: ModuleType) -> None:
        super().__init__(whole.__name__)
        self.__dict__["_whole"] = whole

    def __getattr__(self, name: str):
        replaced = REPLACED.get(self.__name__, {})
        if name in replaced:
            return replaced[name]
        if name in ABSENT_NAMES.get(self.__name__, ()):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._whole, name)

    def __setattr__(self, name: str, value) -> None:
        setattr(self._whole, name, value)


_import = builtins.__import__
_restricted = {
    whole.__name__: _Restricted(whole) for whole in (ctypes, os, resource, signal, sys)
}


def _import_for_package(name, globals=None, locals=None, fromlist=(), level=0):
    """Import for lstmcast what macOS has; for everybody else what is there."""
    importer = (globals or {}).get("__name__", "")
    if importer.partition(".")[0] == "lstmcast" and name in _restricted:
        return _restricted[name]
    return _import(name, globals, locals, fromlist, level)


def _hide_linux_files(event: str, arguments: tuple) -> None:
    """Raise as macOS does where the package opens a file that only Linux has."""
    if event != "open" or not str(arguments[0]).startswith(_LINUX_FOLDERS):
        return
    frame = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").startswith("pathlib"):
        frame = frame.f_back
    caller = frame.f_globals.get("__name__", "") if frame else ""
    if caller.partition(".")[0] == "lstmcast":
        raise FileNotFoundError(2, "No such file or directory", str(arguments[0]))


builtins.__import__ = _import_for_package
sys.addaudithook(_hide_linux_files)
