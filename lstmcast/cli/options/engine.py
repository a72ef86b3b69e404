"""Options for what runs the jobs of a command: processes here, or a Dask or Ray cluster."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated

from lstmcast.cli.options.declare import (
    DEFAULT_NONE,
    TRAINING,
    list_choices,
    make_flag,
    make_option,
)
from lstmcast.config import Backend

Jobs = Annotated[
    int | None,
    make_option(
        TRAINING,
        "N",
        "Processes to use, 1 or more.",
        "as many as pay off",
        "--jobs",
        "-j",
    ),
]


@dataclass(frozen=True)
class EngineOptions:
    """Where jobs run that do not depend on each other."""

    backend: Annotated[
        Backend,
        make_option(
            TRAINING,
            "NAME",
            f"What runs the jobs: {list_choices(Backend)} (need lstmcast[dask], [ray]).",
        ),
    ] = "loky"
    scheduler: Annotated[
        str | None,
        make_option(
            TRAINING,
            "ADDRESS",
            "Scheduler of a running Dask or Ray cluster, such as tls://HOST:PORT.",
            DEFAULT_NONE,
        ),
    ] = None
    insecure: Annotated[
        bool,
        make_flag(
            TRAINING,
            "Allow a remote scheduler without TLS: others on the network can read and change jobs.",
            "--insecure",
        ),
    ] = False

    @property
    def is_remote(self) -> bool:
        """Whether anything but processes of this machine is requested."""
        return (self.backend, self.scheduler) != ("loky", None)

    def __post_init__(self) -> None:
        # An engine that cannot be used is an error of the command line, before any work.
        if self.is_remote:
            from lstmcast.compute.engines import require_engine

            require_engine(self.backend, self.scheduler, insecure=self.insecure)

    def use(self) -> AbstractContextManager[None]:
        """Run the jobs of a `with` block on this engine, see `jobs.use_engine`."""
        # Here, since it loads joblib, which most commands can do without.
        from lstmcast.compute import jobs

        return jobs.use_engine(self.backend, self.scheduler, insecure=self.insecure)
