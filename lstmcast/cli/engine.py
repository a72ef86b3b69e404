"""Who does the jobs of a command: the options for it, and the engine that they mean."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, get_args

from typer import Option

from lstmcast.cli.options import DEFAULT_NONE, TRAINING
from lstmcast.config import Backend

_BACKEND_HELP = f"Who does the jobs: {', '.join(get_args(Backend)[:-1])} or {get_args(Backend)[-1]} (need lstmcast[dask], [ray])."
_SCHEDULER_HELP = "Scheduler of a Dask or Ray cluster that runs already, as tls://HOST:PORT."
_INSECURE_HELP = "Allow a scheduler on another machine without TLS: whoever can listen there can read and change the jobs."


@dataclass(frozen=True)
class EngineOptions:
    """Where jobs are done that do not depend on each other."""

    backend: Annotated[
        Backend, Option(metavar="NAME", help=_BACKEND_HELP, rich_help_panel=TRAINING)
    ] = "loky"
    scheduler: Annotated[
        str | None,
        Option(
            metavar="ADDRESS",
            help=_SCHEDULER_HELP,
            show_default=DEFAULT_NONE,
            rich_help_panel=TRAINING,
        ),
    ] = None
    insecure: Annotated[
        bool, Option("--insecure", help=_INSECURE_HELP, rich_help_panel=TRAINING)
    ] = False

    @property
    def asked(self) -> bool:
        """Whether anybody but processes of this machine was asked for."""
        return (self.backend, self.scheduler) != ("loky", None)

    def __post_init__(self) -> None:
        if self.asked:
            from lstmcast.compute.engines import require_engine

            require_engine(self.backend, self.scheduler, insecure=self.insecure)

    def hired(self) -> AbstractContextManager[None]:
        """Give the block to whom the options name, see `parallel.engine`."""
        from lstmcast.compute import jobs

        return jobs.use_engine(self.backend, self.scheduler, insecure=self.insecure)
