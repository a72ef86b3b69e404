"""How readable the code is, in figures to look at and not to game: `python -m benchmarks.style`.

Prints a line for each package and one for all, of `lstmcast/` as it stands or of another folder:
syntax nodes in a line of a function's body, the share of comment lines, the share of functions
named with a single word, and lengths.
"""

import argparse
import ast
import io
import tokenize
from pathlib import Path
from typing import NamedTuple

from benchmarks.sets import ROOT


class Figures(NamedTuple):
    """Counts over some files: syntax nodes, lines, comments, functions and their lengths."""

    nodes: int
    body_lines: int
    comment_lines: int
    code_lines: int
    functions: int
    one_word: int
    lengths: tuple[int, ...]
    files: int

    @property
    def nodes_a_line(self) -> float:
        """Syntax nodes in a line of a function's body, its docstring apart."""
        return self.nodes / max(self.body_lines, 1)

    @property
    def comments(self) -> float:
        """Share of lines with code or a comment that have a comment."""
        return self.comment_lines / max(self.code_lines, 1)

    @property
    def one_word_names(self) -> float:
        """Share of module-level functions whose name is one word, underscores at its ends apart."""
        return self.one_word / max(self.functions, 1)


def count(paths: list[Path]) -> Figures:
    """The figures of some Python files."""
    nodes = body_lines = comment_lines = code_lines = functions = one_word = 0
    lengths: list[int] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        comments, code = _lines(text)
        comment_lines += len(comments)
        code_lines += len(comments | code)
        for statement in tree.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                functions += 1
                one_word += "_" not in statement.name.strip("_")
        for function in _functions(tree):
            has_docstring = ast.get_docstring(function) is not None
            body = function.body[1:] if has_docstring else function.body
            if body:
                # All lines from the first statement to the last, blank and comment lines too.
                length = (body[-1].end_lineno or 0) - body[0].lineno + 1
                lengths.append(length)
                body_lines += length
                nodes += sum(1 for part in body for _ in ast.walk(part))
    return Figures(
        nodes,
        body_lines,
        comment_lines,
        code_lines,
        functions,
        one_word,
        tuple(lengths),
        len(paths),
    )


def _functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods that stand in no other function: those within belong to its body."""
    found: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(child)
        else:
            found += _functions(child)
    return found


def _lines(text: str) -> tuple[set[int], set[int]]:
    """Numbers of the lines that have a comment, and of those that have code or a string."""
    comments: set[int] = set()
    code: set[int] = set()
    layout = {
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in layout:
            code.update(range(token.start[0], token.end[0] + 1))
    return comments, code


def _row(name: str, figures: Figures) -> str:
    lengths = sorted(figures.lengths) or [0]
    p90 = lengths[int(0.9 * (len(lengths) - 1))]
    return (
        f"{name:<16}{figures.files:>6}{figures.nodes_a_line:>8.1f}{figures.comments:>10.1%}"
        f"{figures.one_word_names:>10.0%}{figures.functions:>11}{p90:>6}"
    )


def main() -> None:
    """Print the figures of each package and of the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "lstmcast")
    folder = parser.parse_args().folder
    print(
        f"{'':<16}{'files':>6}{'nodes':>8}{'comments':>10}{'one word':>10}"
        f"{'functions':>11}{'p90':>6}"
    )
    for package in sorted({path.parent for path in folder.rglob("*.py")}):
        name = "." if package == folder else str(package.relative_to(folder))
        print(_row(name, count(sorted(package.glob("*.py")))))
    print(_row("all", count(sorted(folder.rglob("*.py")))))


if __name__ == "__main__":
    main()
