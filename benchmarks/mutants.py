"""What a mutation is: one small change of one place in the code. Pure: reads texts, runs nothing.

Places are found in the syntax tree; the text around a change stays as it is, so its diff is one
line or few. Left out is what no test should hold: docstrings, annotations, messages of errors,
logging, and code for type checkers.
"""

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In},
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Mutant:
    """A new text for a part of a file, given in bytes from `start` to `end`.

    first, last: lines of the statement that holds the part, by which tests are chosen.
    """

    file: str
    line: int
    operator: str
    function: str
    start: int
    end: int
    new: str
    first: int
    last: int

    def apply(self, text: str) -> str:
        """Return the text of the file with the change in it."""
        whole = text.encode()
        return (whole[: self.start] + self.new.encode() + whole[self.end :]).decode()

    def describe(self, text: str) -> str:
        """Return the place and the lines that differ; lines added above change nothing."""
        before, after = _changed_lines(text, self.apply(text))
        return f"{self.file}::{self.function or '(module)'}: {before} => {after}"


def find_mutants(root: Path, packages: Sequence[str]) -> list[Mutant]:
    """Find all mutants of the modules of some packages, in the order of the files."""
    found: list[Mutant] = []
    for package in packages:
        for path in sorted((root / "lstmcast" / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            found += mutants_of(text, path.relative_to(root).as_posix())
    return found


def draw_mutants(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Draw some of them, each with the same chance."""
    return random.Random(seed).sample(mutants, min(count, len(mutants)))


def mutants_of(text: str, file: str = "") -> list[Mutant]:
    """Find every mutant of one module."""
    lines = text.encode().splitlines(keepends=True)
    # Where each line begins, in bytes, as the columns of the syntax tree count.
    begins = [0]
    for line in lines:
        begins.append(begins[-1] + len(line))

    found = []
    for node, function, (first, last) in _places(ast.parse(text)):
        for operator, new in _changes(node):
            # Of a branch only the condition is written anew.
            part = node.test if isinstance(node, ast.If) else node
            assert part.end_lineno and part.end_col_offset is not None
            start = begins[part.lineno - 1] + part.col_offset
            end = begins[part.end_lineno - 1] + part.end_col_offset
            place = (file, part.lineno, operator, function)
            found.append(Mutant(*place, start, end, new, first, last))
    return found


Place = tuple[ast.expr | ast.stmt, str, tuple[int, int]]


def _places(tree: ast.Module) -> Iterator[Place]:
    """Nodes that may be changed, the function around each, and the lines of its statement."""
    stack: list[tuple[ast.AST, str, tuple[int, int]]] = [(tree, "", (1, 1))]
    while stack:
        node, function, lines = stack.pop()
        if isinstance(node, ast.stmt):
            lines = _own_lines(node)
        if isinstance(node, ast.expr | ast.stmt):
            yield node, function, lines
        inside = function
        if isinstance(node, DEFINITIONS):
            inside = f"{function}.{node.name}".lstrip(".")
        stack += [(child, inside, lines) for child in reversed([*_children(node)])]


def _own_lines(node: ast.stmt) -> tuple[int, int]:
    """First and last line of a statement without the body that it may have."""
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno
    return node.lineno, max(node.lineno, last or node.lineno)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node that tests should hold."""
    if isinstance(node, ast.Raise | ast.Assert | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    if isinstance(node, ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        if isinstance(node, ast.ClassDef) and name in ("bases", "keywords"):
            continue
        if isinstance(node, ast.Call) and name == "func":
            # `x.y()`: the object may be an expression worth changing, a name is not.
            value = getattr(node.func, "value", None)
        parts = value if isinstance(value, list) else [value]
        yield from (part for part in parts if isinstance(part, ast.AST))


def _changes(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What a node may become: the kind of change, and the new text."""
    if isinstance(node, ast.Constant):
        yield from _change_constant(node)
    elif isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg is not None:
                rest = [other for other in node.keywords if other is not keyword]
                yield _changed("argument removed", ast.Call(node.func, node.args, rest))
    elif isinstance(node, ast.expr):
        yield from _change_operator(node)
    else:
        yield from _change_statement(node)


def _changed(kind: str, node: ast.AST) -> tuple[str, str]:
    text = ast.unparse(node)
    # What is put within another expression must stay together.
    return kind, text if isinstance(node, ast.Call | ast.stmt) else f"({text})"


def _change_constant(node: ast.Constant) -> Iterator[tuple[str, str]]:
    match node.value:
        case bool():
            yield "constant", str(not node.value)
        case int():
            yield "constant", str(node.value + 1)
        case float():
            yield "constant", repr(node.value * 2 if node.value else 1.0)


def _change_operator(node: ast.expr) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            other = COMPARISONS[type(op)]()
            compared = ast.Compare(node.left, [other], node.comparators)
            yield _changed("comparison", compared)
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_text(node):
            other_op = ARITHMETIC[type(node.op)]()
            yield _changed("arithmetic", ast.BinOp(node.left, other_op, node.right))
        case ast.BoolOp():
            both = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield _changed("boolean", ast.BoolOp(both, node.values))
        case ast.UnaryOp(op=ast.Not()):
            yield _changed("boolean", node.operand)
        case ast.UnaryOp(op=ast.USub()) if not isinstance(node.operand, ast.Constant):
            yield _changed("sign", node.operand)
        case ast.IfExp():
            yield _changed("condition", ast.IfExp(node.test, node.orelse, node.body))


def _change_statement(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.If():
            # Only the condition is written anew; the branches stay as they are.
            yield "condition", f"not ({ast.unparse(node.test)})"
        case ast.Return(value=ast.expr()) if not _is_none(node.value):
            yield "return", "return None"
        case ast.AugAssign() if type(node.op) in ARITHMETIC:
            other = ARITHMETIC[type(node.op)]()
            yield _changed("arithmetic", ast.AugAssign(node.target, other, node.value))
            yield "statement removed", "pass"
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue():
            yield "statement removed", "pass"


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.BinOp) -> bool:
    """Whether two texts are put together, or types in an annotation."""
    sides = (node.left, node.right)
    is_text = [
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    ]
    return any(is_text) or any(_is_none(side) for side in sides)


def _changed_lines(old: str, new: str) -> tuple[str, str]:
    """The lines that differ, before and after, each as one line of text."""
    before, after = old.splitlines(), new.splitlines()
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    shorter = min(len(before), len(after)) - head
    while tail < shorter and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    parts = (before[head : len(before) - tail], after[head : len(after) - tail])
    first, second = (" ".join(line.strip() for line in part) for part in parts)
    return first, second
