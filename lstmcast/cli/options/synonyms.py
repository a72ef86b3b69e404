"""The names that other tools have for our options and commands, and what to suggest for them.

Knows the names only; which of the options a command has is the caller's to say.
"""

from collections.abc import Collection, Mapping

_OPTION_SYNONYMS: dict[tuple[str, ...], str] = {
    ("target",): "y value values label target-col target-column response",
    ("time",): "date dates ds datetime timestamp time-col time-column date-col index",
    ("series",): "id ids group groups unique-id id-col id-column item-id item key keys"
    " entity panel",
    ("future", "past"): "exog xreg regressor regressors covariate covariates features"
    " future-covariates futr-exog known-covariates",
    ("past",): "past-covariates hist-exog unknown-covariates",
    ("static",): "static-covariates static-features stat-exog",
    ("horizon",): "h fh periods n-periods steps-ahead prediction-length n-ahead"
    " forecast-horizon output-chunk-length",
    (
        "level",
    ): "levels confidence conf interval-width prediction-interval coverage-level",
    ("quantiles",): "quantile q quantile-levels alpha percentiles",
    ("freq",): "frequency interval timestep",
    ("season",): "seasonality season-length seasonal-periods sp m period",
    (
        "context",
    ): "lookback input-size context-length seq-len sequence-length lags n-lags"
    " input-chunk-length window-size",
    ("windows",): "cv n-windows folds n-folds splits n-splits cross-validation",
    ("steps",): "epochs n-epochs max-epochs max-steps iterations num-steps",
    ("lr",): "learning-rate",
    ("hidden",): "units hidden-size hidden-dim neurons",
    ("layers",): "num-layers n-layers",
    ("seed",): "random-state random-seed",
    ("jobs",): "threads n-jobs workers n-workers num-workers cores",
    ("device",): "gpu cuda accelerator",
    ("delimiter",): "sep separator",
    ("na",): "na-values na-value missing",
    ("date-format",): "time-format datetime-format",
    ("holidays",): "holiday country country-holidays",
    ("output", "out"): "outfile output-file out-file save save-to dest",
    ("fail-if",): "threshold fail-on",
    ("by",): "group-by",
}
"""What other tools call our options; of several, all that a command has are suggested."""
_REMARKS = {"future": " (known ahead)", "past": " (known up to now)"}
_COMMAND_SYNONYMS = {
    "fit": "train learn training",
    "predict": "infer inference",
    "backtest": "cv cross-validate cross-validation crossval validate",
    "evaluate": "score test eval",
    "tune": "hpo optimize optimise search hyperopt gridsearch",
    "detect": "anomaly anomalies outliers",
    "update": "retrain finetune fine-tune refit",
    "inspect": "describe info eda profile look head",
    "explain": "importance shap",
    "report": "plot html",
    "serve": "api server",
    "demo": "example examples sample quickstart tutorial",
    "runs ls": "ls list",
    "runs show": "show",
    "config show": "settings",
}
_OPTION_BY_SYNONYM = {
    word: options
    for options, words in _OPTION_SYNONYMS.items()
    for word in words.split()
}
_COMMAND_BY_SYNONYM = {
    word: command
    for command, words in _COMMAND_SYNONYMS.items()
    for word in words.split()
}


def suggest_option(
    name: str, has: Collection[str], others: Mapping[str, Collection[str]]
) -> str:
    """Return what to say of an option that a command lacks; empty where nobody calls it so.

    name: without its dashes. has: names of the options of the command. others: those of the other
    commands, by command.
    """
    options = _OPTION_BY_SYNONYM.get(name, (name,))
    found = [option for option in options if option in has]
    if found:
        remarks = _REMARKS if len(found) > 1 else {}
        return _suggest_words(
            " or ".join(f"--{option}{remarks.get(option, '')}" for option in found)
        )
    # What is an option there may be a command of its own here: train, cv.
    if name in _COMMAND_BY_SYNONYM:
        return suggest_command(name)
    for option in options:
        for command, names in others.items():
            if option in names:
                return _suggest_words(f"--{option} of `lstmcast {command}`")
    return ""


def find_option(name: str) -> str:
    """Return our name of an option that other tools call `name`; empty for none."""
    options = _OPTION_BY_SYNONYM.get(name, ("",))
    return options[0]


def suggest_command(name: str) -> str:
    """Return what to say of a command that there is not; empty where nobody calls it so."""
    command = _COMMAND_BY_SYNONYM.get(name.lower(), "")
    return _suggest_words(f"`lstmcast {command}`") if command else ""


def _suggest_words(words: str) -> str:
    return f"did you mean {words}?"
