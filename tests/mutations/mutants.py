"""Mutants of a file, made by cosmic-ray: each a small change, one at a time, such as `<` into `<=`.

What changes only an annotation, a Protocol or what a dataclass forbids its users is no mutant: the program
does the same.
Nor is what every test would notice, and what depends on how Python keeps numbers (`_USELESS`).
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

_USELESS: Final = re.compile(
    # Arithmetic turned into an operation on bits: of two floats or arrays of them, a TypeError.
    r"_(Add|Sub|Mul|Div|FloorDiv|Mod|Pow)_(RShift|LShift|BitOr|BitAnd|BitXor)$"
    # Equality turned into identity, and back: of None, small numbers and words in the program, no change.
    r"|_(Eq_Is|Is_Eq|NotEq_IsNot|IsNot_NotEq)$"
    # Order turned into identity: of numbers just worked out as true or false as equality, which is tried.
    r"|_(Lt|LtE|Gt|GtE)_(Is|IsNot)$"
    # Equality turned into order: of names, classes and None the order means nothing.
    r"|_(Eq|NotEq|Is|IsNot)_(Lt|LtE|Gt|GtE)$"
)
"""Names of operators of the tool that are left out."""

_FORBIDS: Final = ("frozen", "slots", "eq")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file.

    Attributes:
        path: Of the file, from the root.
        line: Where the change is, counted from 1.
        old: The lines that go, without indentation.
        new: The lines that come, without indentation.
        code: The whole file as changed.
    """

    path: str
    line: int
    old: str
    new: str
    code: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}\n    - {self.old}\n    + {self.new}"


def mutants_of(path: str, code: str) -> list[Mutant]:
    """Every mutant of a file that does something else, in the order of the tool's operators."""
    same, found = {_meaning(code)}, []
    for changed in _changed(code):
        try:
            meaning = _meaning(changed)
        except SyntaxError:
            continue
        if meaning not in same:
            same.add(meaning)
            found.append(_mutant(path, code, changed))
    return found


def _changed(code: str) -> Iterator[str]:
    tree = get_ast(code)
    for name in operator_names():
        kind = get_operator(name)
        # Those with arguments are of no use before one says which names to change.
        if kind.arguments() or _USELESS.search(name):
            continue
        operator = kind()
        places = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))
        for place in range(places):
            changed = mutate_code(code, operator, place)
            if changed is not None:
                yield changed


def _mutant(path: str, code: str, changed: str) -> Mutant:
    before, after = code.splitlines(), changed.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    spans = [each[1:] for each in matcher.get_opcodes() if each[0] != "equal"]
    begin, end, new_begin, new_end = spans[0][0], spans[-1][1], spans[0][2], spans[-1][3]
    old = " ".join(each.strip() for each in before[begin:end])
    new = " ".join(each.strip() for each in after[new_begin:new_end])
    return Mutant(path, begin + 1, old, new, changed)


def _meaning(code: str) -> str:
    """The program as text, without annotations, Protocols and what dataclasses forbid.

    Raises:
        SyntaxError: It is no program.
    """
    return ast.dump(_Bare().visit(ast.parse(code)))


class _Bare(ast.NodeTransformer):
    """Takes annotations, what Protocols say, and what dataclasses forbid, out of a program."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
            node.body = [ast.Pass()]
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "dataclass":
                mark.keywords = [each for each in mark.keywords if each.arg not in _FORBIDS]
        return self.generic_visit(node)
