"""`lstmcast completion`: what a shell offers after a tab: commands, options, their values, columns of the DATA file.

The scripts ask the program itself, which answers one word a line without loading torch or pandas.
No shell ever evaluates what a data file holds: words are taken as words.
"""

import csv
import gzip
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Context, Option

from lstmcast.cli.settings import option_name
from lstmcast.cli.show import output

EXAMPLES = """\
lstmcast completion bash > lstmcast.bash
lstmcast completion fish > lstmcast.fish"""
WORDS_COMMAND = "completion-words"
"""The hidden command that the scripts ask; its arguments are the words before the one to complete,
and that one."""
_MAX_PEEKED_BYTES = 65536
"""Bytes of a file that are looked at."""
_SCRIPTS = {
    "bash": """\
# Completion of lstmcast: put this into ~/.local/share/bash-completion/completions/lstmcast
_lstmcast() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("$(printf '%q' "$word")")
    done < <(lstmcast completion-words --typed -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _lstmcast lstmcast
""",
    "zsh": """\
#compdef lstmcast
# Completion of lstmcast: put this as _lstmcast into a folder of $fpath
_lstmcast() {
    local -a found
    found=("${(@f)$(lstmcast completion-words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    found=(${found:#})
    if (( $#found )); then compadd -Q -- "${(@q)found}"; else _files; fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _lstmcast "$@"; else compdef _lstmcast lstmcast; fi
""",
    "fish": """\
# Completion of lstmcast: put this into ~/.config/fish/completions/lstmcast.fish
complete -c lstmcast -a '(lstmcast completion-words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
""",
}
Shell = Annotated[
    Literal["bash", "zsh", "fish"], Argument(metavar="SHELL", help="bash, zsh or fish.")
]


def completion(shell: Shell) -> None:
    """Print the script that lets SHELL complete command lines.

    Its first line says where to put it.
    """
    output.write_stdout(_SCRIPTS[shell].encode())


def complete_words(
    context: Context,
    line: Annotated[list[str] | None, Argument()] = None,
    *,
    typed: Annotated[bool, Option("--typed")] = False,
) -> None:
    """Print what can stand at the place of the last word, one a line; `typed` words still have their quotes."""
    plain = [_unquote_word(word) if typed else word for word in line or [""]]
    found = complete_line(context.find_root().command, plain)
    output.write_stdout(
        "".join(f"{word}\n" for word in found if word.isprintable()).encode(
            errors="surrogateescape"
        )
    )


def complete_line(root: Any, line: list[str]) -> list[str]:
    """Return what can stand at the place of the last word of a line; nothing where the shell should offer files."""
    *before, last = line
    command, given, data, waiting = root, [], "", None
    for word in before:
        if waiting is not None:
            waiting = None
        elif word.startswith("-") and word != "-":
            option = _find_option(command, word.partition("=")[0])
            waiting = (
                option if option is not None and not option.is_flag and "=" not in word else None
            )
            given.append(option)
        elif word in getattr(command, "commands", {}):
            command = command.commands[word]
        elif not data or command.name in ("evaluate", "predict", "report"):
            data = word  # of RUN DATA it is the second
    if waiting is None and last.startswith("--") and "=" in last:
        flag, _, last = last.partition("=")
        waiting = _find_option(command, flag)
    if waiting is not None:
        return sorted(word for word in _option_values(waiting, data) if word.startswith(last))
    if last.startswith("-"):
        free = [one for one in _visible_options(command) if one.multiple or one not in given]
        return sorted(
            flag
            for one in free
            for flag in (*one.opts, *one.secondary_opts)
            if flag.startswith(last)
        )
    names = [name for name, one in getattr(command, "commands", {}).items() if not one.hidden]
    return sorted(name for name in names if name.startswith(last))


def read_column_names(file: str) -> list[str]:
    """Return the names in the first line of a text table; nothing for what is not one, or cannot be read."""
    try:
        path = Path(file).expanduser()
        if not path.is_file():
            return []
        with path.open("rb") as raw:
            start = raw.read(_MAX_PEEKED_BYTES)
        if start.startswith(b"\x1f\x8b"):
            with gzip.open(path) as packed:
                start = packed.read(_MAX_PEEKED_BYTES)
        if start.startswith((b"PAR1", b"ARROW1", b"\x28\xb5\x2f\xfd")) or b"\0" in start:
            return []
        first = start.decode("utf-8-sig", "replace").splitlines()[0]
    except (OSError, EOFError, IndexError, RuntimeError):
        return []
    delimiter = max(",;\t|", key=first.count)
    return [
        name.strip() for name in next(csv.reader([first], delimiter=delimiter), []) if name.strip()
    ]


def _option_values(option: Any, data: str) -> list[str]:
    choices = option.type_descriptor.choices
    if choices:
        return [str(choice) for choice in choices]
    if option.metavar == "COL" and data:
        return read_column_names(data)
    if option_name(option) == "format":
        return list(output.TABLE_FORMATS)
    return []


def _visible_options(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "option" and not one.hidden]


def _find_option(command: Any, flag: str) -> Any:
    return next(
        (one for one in _visible_options(command) if flag in (*one.opts, *one.secondary_opts)), None
    )


def _unquote_word(word: str) -> str:
    """Return a word as the program would get it, where the shell gave it as it was typed."""
    try:
        return (shlex.split(word) or [""])[0]
    except ValueError:  # a quotation that is not closed yet
        return word.lstrip("'\"")
