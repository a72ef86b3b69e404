"""Where training runs: which device that is, and the data of a training kept there.

Knows nothing of networks. A trained network forecasts on the processor, wherever it was trained.

Axes: B chunks, C steps of a chunk, F input features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lstmcast.config import Device
from lstmcast.errors import UsageError
from lstmcast.features.windows import Windows
from lstmcast.ragged import Ints, Singles

CPU = torch.device("cpu")


def choose_device(asked: Device) -> torch.device:
    """The device to train on; `auto` is a GPU where torch can use one. Raises UsageError for one that is not there."""
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        built = (
            ""
            if torch.version.cuda
            else f", and this torch ({torch.__version__}) is built without it"
        )
        raise UsageError(
            f"--device cuda: torch finds no GPU{built}", "leave out --device, or take --device cpu"
        )
    return torch.device("cuda") if there and asked != "cpu" else CPU


def describe_device(device: torch.device) -> str:
    """What people call it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"


def with_tables_on_device(windows: Windows, device: torch.device) -> Windows:
    """The same windows, with what the encoder reads kept on the device; on the processor the windows themselves."""
    if device == CPU:
        return windows
    table, more = torch.from_numpy(windows.steps.x), windows.covariates
    parts = [table] if more is None else [table, torch.from_numpy(more.step)]
    return DeviceWindows(**vars(windows), tables=tuple(part.to(device) for part in parts))


@dataclass(frozen=True, eq=False)
class DeviceWindows(Windows):
    """Windows whose batches are gathered on a device: only the places of their rows go there."""

    tables: tuple[Tensor, ...] = ()

    def encoded(self, first: Ints, inside: Ints) -> Singles:
        """As `Windows.encoded`, as a tensor on the device."""
        device = self.tables[0].device
        at = torch.from_numpy(first + inside.clip(min=0)).to(device)
        outside = torch.from_numpy(inside < 0).to(device)[..., None]
        rows = torch.cat([table[at] for table in self.tables], -1)
        return rows.masked_fill(outside, 0.0)  # type: ignore[return-value]
