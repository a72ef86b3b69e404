"""On PYTHONPATH, this lets lstmcast run as if on Windows, as far as that can be had elsewhere.

The package finds no `fcntl` and no `resource`, none of the names of `os` and `signal` that Windows
lacks, and no folder that can be opened; files that this process has open can be neither removed nor
renamed, nor their folders; neither it nor Optuna may make symbolic links; stdout and stderr write
cp1252 with CRLF. Everything else, the libraries too, sees the true system: what they do on Windows
is not tried here.
"""

import builtins
import ctypes
import os
import signal
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from types import ModuleType, SimpleNamespace

ABSENT_MODULES = {"fcntl", "resource", "termios", "pwd", "grp"}
ABSENT_NAMES = {
    "os": {
        *("O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_CLOEXEC", "pread", "pwrite"),
        *("fork", "getuid", "geteuid", "killpg", "setsid", "sysconf", "statvfs"),
        *("sched_getaffinity", "uname", "mkfifo", "fchmod", "getpgid"),
    },
    "signal": {
        *("SIGHUP", "SIGALRM", "setitimer", "ITIMER_REAL", "SIGKILL", "SIGQUIT"),
        *(
            "SIGUSR1",
            "SIGUSR2",
            "SIGCHLD",
            "SIGPIPE",
            "pthread_kill",
            "pthread_sigmask",
        ),
    },
}


def _open(path, flags, mode=0o777, *, dir_fd=None):
    """Open a file as Windows does: no folder, and in no folder."""
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    if Path(path).is_dir():
        raise PermissionError(13, "Permission denied", str(path))
    return os.open(path, flags, mode)


def _kill(*_):
    raise AssertionError("os.kill ends processes on Windows, whatever the signal")


def _load_library(name, **named):
    if name is None:
        raise TypeError("argument of type 'NoneType' is not a path")
    return ctypes.CDLL(name, **named)


REPLACED = {
    "os": {"open": _open, "kill": _kill, "supports_dir_fd": set()},
    "ctypes": {"CDLL": _load_library},
}


def _add_peak_memory(psutil):
    """Return psutil with the figure that it has on Windows only."""

    class Process(psutil.Process):
        def memory_info(self):
            peak = getrusage(RUSAGE_SELF).ru_maxrss * 1024
            return SimpleNamespace(peak_wset=peak, rss=super().memory_info().rss)

    changed = ModuleType("psutil")
    changed.__dict__.update(vars(psutil), Process=Process)
    return changed


class _Restricted(ModuleType):
    """A module without the names that Windows lacks."""

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


_import = builtins.__import__
_restricted = {whole.__name__: _Restricted(whole) for whole in (os, signal, ctypes)}


def _import_for_package(name, globals=None, locals=None, fromlist=(), level=0):
    """Import for lstmcast what Windows has; for everybody else what is there."""
    importer = (globals or {}).get("__name__", "")
    if importer.partition(".")[0] == "lstmcast":
        if name in ABSENT_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in _restricted:
            return _restricted[name]
        if name == "psutil":
            return _add_peak_memory(_import(name))
    return _import(name, globals, locals, fromlist, level)


def _open_files() -> set[Path]:
    """Files of the working folder that this process has open."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            file = link.readlink()
        except OSError:
            continue
        if file.is_file() and file.is_relative_to(Path.cwd()):
            found.add(file)
    return found


_asking = False


def _refuse_moving_open_files(event: str, arguments: tuple) -> None:
    """Raise as Windows does where a file in use is to be removed or renamed."""
    global _asking
    if event not in ("os.rename", "os.remove") or _asking:
        return
    _asking = True
    try:
        places = [p for p in arguments[:2] if isinstance(p, (str, os.PathLike))]
        if event == "os.remove":
            places = places[:1]
        elif all(Path(place).is_dir() for place in places) and len(places) == 2:
            raise PermissionError(13, "Access is denied", str(places[1]))
        for place in places:
            whole = Path.cwd() / place
            for file in _open_files():
                if file == whole or file.is_relative_to(whole):
                    message = "The process cannot access the file: it is in use"
                    raise PermissionError(13, message, str(place))
    finally:
        _asking = False


def _refuse_links(event: str, _: tuple) -> None:
    """Raise as Windows does where a symbolic link is made without the right to."""
    if event != "os.symlink":
        return
    caller = sys._getframe(1).f_globals.get("__name__", "")
    if caller.partition(".")[0] in ("lstmcast", "optuna"):
        raise OSError(1314, "A required privilege is not held by the client")


builtins.__import__ = _import_for_package
sys.addaudithook(_refuse_moving_open_files)
sys.addaudithook(_refuse_links)
for stream in (sys.stdout, sys.stderr):
    if stream is not None:
        errors = "backslashreplace" if stream is sys.stderr else "strict"
        stream.reconfigure(encoding="cp1252", errors=errors, newline="\r\n")
