"""Mutants of a module, by mutmut's operators.

mutmut's own runner swaps functions at run time, and so leaves out what no function holds (tables of a module, fields of
a class) and every decorated function. Here each mutant is a file, so that these count too: see ADR 38.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import get_ignored_lines


class _EveryNode(MutationVisitor):
    """mutmut's visitor, in decorated functions and in default values too."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        skipped = super()._skip_node_and_children(node)
        if isinstance(node, cst.Param):
            return False
        if isinstance(node, cst.FunctionDef) and node.decorators:
            return node.name.value in self.ignored_functions
        return skipped


@dataclass(frozen=True)
class Mutations:
    """What can be changed in one module, each apart."""

    _module: cst.Module
    _found: list[Mutation]

    @property
    def original(self) -> str:
        return self._module.code

    def __len__(self) -> int:
        return len(self._found)

    def source(self, number: int) -> str:
        """Return the module's text with one of the changes."""
        mutation = self._found[number]
        changed = self._module.deep_replace(mutation.original_node, mutation.mutated_node)
        assert isinstance(changed, cst.Module)
        return changed.code


def mutations(name: str, source: str) -> Mutations:
    """Find what can be changed in a module. Lines marked by mutmut's pragmas are left alone.

    Args:
        name: of the file, for errors.
        source: its text.
    """
    wrapper = MetadataWrapper(cst.parse_module(source))
    visitor = _EveryNode(mutation_operators, get_ignored_lines(name, source, wrapper))
    return Mutations(wrapper.visit(visitor), visitor.mutations)
