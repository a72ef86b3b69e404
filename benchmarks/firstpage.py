"""What the README says in figures, made of the results of the benchmarks. Pure."""

from collections.abc import Mapping
from typing import Any

from benchmarks.references import SHORT_SERIES
from benchmarks.sets import ROOT
from benchmarks.tables import m3_all, mean_over_seeds, short_series_mean, summary

PRETRAINED = ROOT / "lstmcast" / "pretrained"
Found = Mapping[str, Any]
PEERS = ("NeuralForecast LSTM", "darts BlockRNN", "GluonTS DeepAR")
_SETS = (
    ("M4 Hourly, OWA", "m4_hourly", "owa"),
    ("M4 Weekly, OWA", "m4_weekly", "owa"),
    ("M3, all 3003 series, sMAPE", "m3_all", "smape"),
    ("M3 monthly, MASE", "m3_monthly", "mase"),
    ("tourism monthly, MASE", "tourism_monthly", "mase"),
    ("M1 monthly, MASE", "m1_monthly", "mase"),
)
_COMPARED = {
    "m4_hourly": {
        "TiRex": "TiRex (35 million parameters)",
        "M4, best of all entries": "best of the competition",
        "M4, seasonal naive": "seasonal naive",
    },
    "m4_weekly": {
        "TiRex": "TiRex",
        "M4, best of all entries": "best of the competition",
        "AutoETS": "AutoETS",
    },
    "m3_all": {"N-BEATS": "N-BEATS", "M3, Theta": "Theta"},
    "m3_monthly": {"DOTheta": "DOTheta", "AutoETS": "AutoETS"},
    "tourism_monthly": {"DeepAR": "DeepAR", "AutoETS": "AutoETS"},
    "m1_monthly": {"DOTheta": "DOTheta", "AutoETS": "AutoETS"},
}
_FORMS = {"owa": ".3f", "smape": ".2f", "mase": ".3f"}


def reasons(accuracy: Found, performance: Found) -> str:
    """The three reasons at the top."""
    cold = performance["sections"]["cold"]["rows"]
    own, peer = (
        f"{cold[name]['seconds']:.2f} s and {cold[name]['peak'] / 1e6:.0f} MB"
        for name in ("lstmcast", PEERS[0])
    )
    monthly = own_figure(accuracy, "m3_monthly", "zero-shot", "mase")
    rivals = [
        other_figure(accuracy, *one)
        for one in (
            ("m3_all", "N-BEATS", "smape"),
            ("m3_all", "M3, Theta", "smape"),
            ("tourism_monthly", "DeepAR", "mase"),
            ("m3_monthly", "AutoETS", "mase"),
        )
    ]
    weights = sum(file.stat().st_size for file in PRETRAINED.glob("*.safetensors"))
    return (
        "- **Accurate without tuning.** With its defaults and on one core it reaches an sMAPE of"
        f" {own_figure(accuracy, 'm3_all', 'fit', 'smape')} on the 3003 series of M3 (N-BEATS:"
        f" {rivals[0]}, Theta: {rivals[1]}), and a MASE of"
        f" {own_figure(accuracy, 'tourism_monthly', 'fit', 'mase')} on tourism monthly (DeepAR:"
        f" {rivals[2]}). [More](#how-good-it-is).\n"
        "- **Fast enough for a cron job.** A saved model is loaded and forecasts in"
        f" {own}, where NeuralForecast takes {peer}. [More](#how-fast-it-is).\n"
        "- **Useful before any training.** `lstmcast forecast` uses one of two networks, of"
        f" {weights / 1e6:.1f} MB together, that come with it, and reaches a MASE of"
        f" {monthly} on M3 monthly (AutoETS, fitted to each series: {rivals[3]})."
    )


def accuracy(found: Found) -> str:
    """The table of competitions, and how single series went."""
    lines = [
        "| | lstmcast | `lstmcast forecast`, nothing trained | for comparison |",
        "|---|---|---|---|",
    ]
    for title, name, measure in _SETS:
        own = " | ".join(
            own_figure(found, name, kind, measure) for kind in ("fit", "zero-shot")
        )
        others = ", ".join(
            f"{words} {other_figure(found, name, whose, measure)}"
            for whose, words in _COMPARED[name].items()
        )
        lines.append(f"| {title} | {own} | {others} |")
    everyday, fresh = (
        summary(found, group, "fit", means)
        for group, means in (("everyday", False), ("fresh", False))
    )
    strict, strict_fresh = (
        summary(found, group, "fit", means=True) for group in ("everyday", "fresh")
    )
    text = (
        "On single everyday series the error, relative to the best of simple methods on the same"
        " windows (the last value, a line, the mean, the season before for every season of the"
        f" calendar), is {everyday['geometric_mean']:.2f} in the geometric mean over"
        f" {everyday['sets']} sets and {everyday['worst']:.2f} at worst; on {fresh['sets']} sets by"
        f" which no default was chosen it is {fresh['geometric_mean']:.2f}, and"
        f" {fresh['worst']:.2f} at worst. Where the means of the last four seasons count as simple"
        f" methods too, it is {strict['geometric_mean']:.2f} and"
        f" {strict_fresh['geometric_mean']:.2f}, and {strict['worst']:.2f} and"
        f" {strict_fresh['worst']:.2f} at worst. It does not always win: the page shows where it"
        " loses."
    )
    fitted, untrained = (
        short_series_mean(found, kind) for kind in ("fit", "zero-shot")
    )
    if fitted and untrained:
        text = (
            "On the short business series of M1, M3 and tourism, where large pretrained models have"
            f" published their errors, its MASE is {fitted['mase']:.3f} of that of the seasonal"
            f" naive, and {untrained['mase']:.3f} with nothing trained, in the geometric mean over"
            f" eight sets: {_short_rivals()}.\n\n{text}"
        )
    return "\n".join([*lines, "", text])


def _short_rivals() -> str:
    """The three best of the published models on short series, with their figures."""
    best = sorted(SHORT_SERIES.items(), key=lambda row: row[1]["mase"])[:3]
    return ", ".join(f"{whose} {errors['mase']:.3f}" for whose, errors in best)


def speed(found: Found) -> str:
    """The machine, and the table beside other programs."""
    sections = found["sections"]
    cold, train, learn, many = (
        sections[name]["rows"] for name in ("cold", "train", "learn", "many")
    )
    machine = sections["cold"]["machine"]
    versions = {name: _version(name, machine["versions"]) for name in PEERS}
    own_train = _windows(train["lstmcast"], sections["train"])
    rows = [
        ["", "lstmcast", *(f"{name} {versions[name]}" for name in PEERS)],
        ["---"] * (2 + len(PEERS)),
        [
            "load a saved model and forecast, whole process",
            *(
                f"{cold[name]['seconds']:.2f} s, {cold[name]['peak'] / 1e6:.0f} MB"
                for name in ("lstmcast", *PEERS)
            ),
        ],
        [
            "training, windows a second, one thread",
            own_train,
            *(f"{train[name]['windows_per_second']:,.0f} (float32)" for name in PEERS),
        ],
        [
            "M4 Hourly, MASE after 20 s of training (repeating the last day: 1.193)",
            *(f"{learn[f'{name} 20']['mase']:.3f}" for name in ("lstmcast", *PEERS)),
        ],
        [
            "forecasts of many series, series a second: one thread; two",
            *(
                f"{many[name]['per_second']:,.0f}; {many[name]['on_two']:,.0f}"
                for name in ("lstmcast", *PEERS)
            ),
        ],
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    head = (
        f"Measured by `make bench` on a machine of {machine['cores']} cores"
        f" ({machine['cpu']}), every program on the same torch with its own defaults, at the same"
        " context (168), horizon (24) and width (two layers of 64) unless said otherwise. All"
        " tables, memory, and where lstmcast is slower:"
        " [docs/performance.md](docs/performance.md)."
    )
    usual = sections["train"].get("precision", "float32")
    if usual == "float32":
        return f"{head}\n\n{table}"
    step = sections["step"]
    slower = step["float32"]["whole"] / step[usual]["whole"]
    note = (
        f"In training, lstmcast takes {usual} where the processor has it, the others float32; in"
        f" float32 a training step of lstmcast takes {slower:.1f} times as long."
    )
    return f"{head}\n\n{table}\n\n{note}"


def untrained(found: Found) -> str:
    """How good the shipped weights are as they are."""
    figures = (
        own_figure(found, name, "zero-shot", measure)
        for name, measure in (
            *(("m4_hourly", "owa"), ("m4_weekly", "owa"), ("m3_all", "smape")),
            *(
                ("m3_monthly", "mase"),
                ("tourism_monthly", "mase"),
                ("m1_monthly", "mase"),
            ),
        )
    )
    return (
        "How good it is without any training on the data at hand (all in `docs/accuracy.md`, the"
        ' rows "nothing trained"): OWA {} on M4 Hourly and {} on M4 Weekly, sMAPE {} over all of'
        " M3, MASE {} on M3 monthly, {} on tourism monthly and {} on M1 monthly."
    ).format(*figures)


def own_figure(found: Found, name: str, kind: str, measure: str) -> str:
    """A figure of lstmcast on a set."""
    of = m3_all(found["results"], kind) if name == "m3_all" else None
    scores = of or mean_over_seeds(found["results"], name, kind)
    return format(scores[measure], _FORMS[measure])


def other_figure(found: Found, name: str, whose: str, measure: str) -> str:
    """A figure of another method on a set."""
    scores = dict(found["references"][name])[whose]
    return format(scores[measure], _FORMS[measure])


def _windows(own: Mapping[str, Any], section: Found) -> str:
    """Windows a second of lstmcast, in the precision that it took and in that of the others."""
    usual = f"{own['windows_per_second']:,.0f} ({section.get('precision', 'float32')})"
    if other := section["rows"].get("lstmcast, float32"):
        usual += f"; {other['windows_per_second']:,.0f} (float32)"
    return usual


def _version(name: str, versions: list[str]) -> str:
    found = next((one for one in versions if one.startswith(name)), name)
    return found.removeprefix(name).split("(")[0].strip()
