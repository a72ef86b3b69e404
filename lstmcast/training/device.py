"""Where training runs: the device, its precision, and the data of a training kept there.

Knows nothing of networks. A trained network forecasts on the processor, wherever it was trained.

Axes: B chunks, C steps of a chunk, F input features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lstmcast.compute.system import describe_processor
from lstmcast.config import Config, Device, Precision
from lstmcast.errors import UsageError
from lstmcast.features.windows import Windows
from lstmcast.ragged import Ints, Singles

CPU = torch.device("cpu")


def choose_device(requested: Device) -> torch.device:
    """Return the device to train on; `auto` is a CUDA GPU where torch can use one, else the CPU.

    Apple's GPU is taken only on request. Raises UsageError where a GPU is requested that torch does
    not find.
    """
    if requested == "mps":
        if torch.backends.mps.is_available():
            return torch.device("mps")
        raise UsageError(
            "--device mps: torch finds no GPU of Apple's",
            "leave out --device, or take --device cpu",
        )
    has_gpu = torch.cuda.is_available()
    if requested == "cuda" and not has_gpu:
        message = "--device cuda: torch finds no GPU"
        if not torch.version.cuda:
            message += f", and this torch ({torch.__version__}) is built without it"
        raise UsageError(message, "leave out --device, or take --device cpu")
    if requested == "cpu" or not has_gpu:
        return CPU
    return torch.device("cuda")


def describe_device(device: torch.device) -> str:
    """Return the name of a device as people know it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "the GPU (mps)"
    return "the processor"


def describe_training_machine(config: Config) -> dict[str, str]:
    """Return what besides settings and versions the bytes of a training depend on.

    device: cpu, or the GPU's name. precision: of the matrix products of an LSTM. processor: its
    family, and for which kind of it BLAS (which forecasts) and torch (which trains) compute.
    """
    place = choose_device(config.train.device)
    # Of other cells no product is reduced, whatever the processor has.
    is_lstm = config.model.cell == "lstm"
    reduced = is_lstm and is_reduced_precision(config.train.precision, place)
    made = describe_processor()
    torch_kind = torch.backends.cpu.get_cpu_capability()
    made["processor"] += f", torch for {torch_kind}"
    if place != CPU:
        made["device"] = describe_device(place)
    if reduced:
        made["precision"] = "bfloat16"
    return made


def is_reduced_precision(precision: Precision, device: torch.device = CPU) -> bool:
    """Whether to train in bfloat16.

    `auto` does so on processors that multiply it in hardware: it takes a third of the time less.
    Raises UsageError where bfloat16 is requested and torch cannot train in it here.
    """
    if precision == "bfloat16" and device.type == "cpu" and not has_bfloat16_lstm():
        raise UsageError(
            "--precision bfloat16: torch has no LSTM in bfloat16 for this processor",
            "take --precision float32, or leave it out",
        )
    if precision != "auto":
        return precision == "bfloat16"
    if device.type != "cpu":
        return False
    # Older versions of torch have no `get_capabilities`.
    get_capabilities = getattr(torch.cpu, "get_capabilities", dict)
    capabilities: dict[str, object] = get_capabilities()
    has_avx = capabilities.get("avx512_bf16")
    has_amx = capabilities.get("amx_bf16")
    return bool(has_avx or has_amx)


def has_bfloat16_lstm() -> bool:
    """Whether torch trains an LSTM in bfloat16 on this processor; only trying it out tells."""
    # The trial must not take draws that a training with the same seed would get.
    with torch.random.fork_rng(devices=[]):
        lstm = torch.nn.LSTM(1, 1)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            lstm(torch.zeros(1, 1, 1))
    except RuntimeError:
        return False
    return True


def with_tables_on_device(windows: Windows, device: torch.device) -> Windows:
    """Return the same windows with what the encoder reads kept on the device.

    On the processor these are the windows themselves.
    """
    if device == CPU:
        return windows
    arrays = [windows.steps.x]
    if windows.covariates is not None:
        arrays.append(windows.covariates.step)
    tables = []
    for array in arrays:
        table = torch.from_numpy(array)
        tables.append(table.to(device))
    return DeviceWindows(**vars(windows), tables=tuple(tables))


@dataclass(frozen=True, eq=False)
class DeviceWindows(Windows):
    """Windows whose batches are gathered on a device: only the indices of their rows go there."""

    tables: tuple[Tensor, ...] = ()

    def encoder_inputs(self, first: Ints, inside: Ints) -> Singles:
        """As `Windows.encoder_inputs`, as a tensor on the device."""
        device = self.tables[0].device
        places = first + inside.clip(min=0)
        at = torch.from_numpy(places).to(device)
        features = [table[at] for table in self.tables]
        rows = torch.cat(features, -1)
        # Steps before the first one of a series are zero, as in numpy.
        is_outside = torch.from_numpy(inside < 0).to(device)
        every_feature = is_outside[..., None]
        return rows.masked_fill(every_feature, 0.0)  # type: ignore[return-value]
