"""`lstmcast completion`: what a shell offers after a tab: commands, options, values, columns.

Typer decides what fits: its `shell_complete` on commands and options, with the callbacks of
`options.complete` for columns and formats. The scripts are our own, for two reasons. Those of Typer
let the shell evaluate what the program prints (`eval` in zsh, word splitting and globbing in bash),
and here that holds names of columns from any data file; our scripts take a word as a word. And they
join the command line into one text, which takes words with spaces apart again; ours pass each word
as an argument of its own.
"""

import shlex
from typing import Annotated, Any, Literal

from typer import Argument, Context, Option

from lstmcast.cli.show import output

EXAMPLES = """\
lstmcast completion bash > lstmcast.bash
lstmcast completion fish > lstmcast.fish"""
WORDS_COMMAND = "completion-words"
"""The hidden command that the scripts call; its arguments are the words before the one to complete,
and that one."""
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
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _lstmcast "$@"
else compdef _lstmcast lstmcast; fi
""",
    "fish": """\
# Completion of lstmcast: put this into ~/.config/fish/completions/lstmcast.fish
complete -c lstmcast -a \
'(lstmcast completion-words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
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
    """Print what can stand in the place of the last word, one per line.

    Words that are `typed` still have their quotes.
    """
    words = line or [""]
    if typed:
        words = [_unquote_word(word) for word in words]
    completions = complete_line(context.find_root().command, words)
    # A line break in a name would make two words of it.
    output.write_lines(filter(str.isprintable, completions), errors="surrogateescape")


def complete_line(root: Any, line: list[str]) -> list[str]:
    """Return what can stand in the place of the last word of a line, in alphabetical order.

    Nothing is returned where the shell should offer files.
    """
    *words, incomplete = line
    if incomplete.startswith("--") and "=" in incomplete:
        flag, _, incomplete = incomplete.partition("=")
        words.append(flag)
    context = _parse_words(root, words)
    option = _option_without_value(context.command, words)
    completer = context.command if option is None else option
    return sorted(item.value for item in completer.shell_complete(context, incomplete))


def _parse_words(root: Any, words: list[str]) -> Any:
    """Return the context of the command that the words name, with the values they set so far."""
    command, name, context = root, "lstmcast", None
    rest = words.copy()
    while rest and rest[0] in getattr(command, "commands", {}):
        # The group gets its context without the words, which its command is to parse.
        context = command.make_context(name, [], parent=context, resilient_parsing=True)
        name = rest.pop(0)
        command = command.commands[name]
    # Resilient: words that are wrong or not finished yet are no error, and callbacks do nothing.
    return command.make_context(name, rest, parent=context, resilient_parsing=True)


def _option_without_value(command: Any, words: list[str]) -> Any:
    """Return the option whose value comes next; None if the next word is no value."""
    for parameter in command.params:
        is_option = parameter.param_type_name == "option" and not parameter.is_flag
        if words and is_option and words[-1] in parameter.opts:
            return parameter
    return None


def _unquote_word(word: str) -> str:
    """Return a typed word as the program would get it, without its quotes."""
    try:
        return (shlex.split(word) or [""])[0]
    except ValueError:  # a quotation that is not closed yet
        return word.lstrip("'\"")
