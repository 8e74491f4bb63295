"""Assignments that are spelled as calls: `object.__setattr__(self, "_hash", value)`, as frozen classes have them."""

from __future__ import annotations

import ast

__all__ = ["spell_assignments"]


def spell_assignments(tree: ast.AST, text: bytes) -> ast.AST:
    """Return the tree of a text with each call that sets an attribute of a certain name written as an assignment.

    The tree itself is changed.

    >>> text = b"object.__setattr__(self, 'size', len(items)); setattr(self, name, 3)"
    >>> print(ast.unparse(spell_assignments(ast.parse(text), text)))
    self.size = len(items)
    setattr(self, name, 3)
    """
    spelled: ast.AST = _Spelling().visit(tree) if b"setattr" in text else tree
    return spelled


class _Spelling(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        """Spell one assignment."""
        match node.value:
            case ast.Call(
                func=ast.Name(id="setattr") | ast.Attribute(value=ast.Name(id="object"), attr="__setattr__"),
                args=[owner, ast.Constant(value=str(name)), value],
                keywords=[],
            ) if name.isidentifier():
                target = ast.copy_location(ast.Attribute(owner, name, ast.Store()), node)
                return ast.copy_location(ast.Assign([target], value), node)
        self.generic_visit(node)
        return node
