"""What the derivation of a proof's form must say: the killers of the mutants of `circuits.columns` (`zkpredict.tools.mutation`)."""

from __future__ import annotations

from support import refuses

from zkpredict.circuits.columns import ROOTS, Claim, Column, Form, Origin, component_names
from zkpredict.circuits.expression import Cell
from zkpredict.circuits.placement import COMPACT_FORM

POINTS = ("limb", "horner", "cell", "linear", "lookup", "quotient", "opening", "final")
SCALARS = ("limb", "cell", "table", "cell_next", "linearised_next")


def test_the_form_of_a_proof_is_derived():
    assert COMPACT_FORM.points == POINTS and COMPACT_FORM.scalars == SCALARS
    assert COMPACT_FORM.stated == (("limb", 0), ("cell", 0), ("table", 0), ("cell", 1))
    assert (COMPACT_FORM.rotations, COMPACT_FORM.blinders) == ((0, 1), 4)
    claims = [((0,), None), ((0,), "limb"), ((0,), "table"), ((0, 1), "cell"), ((1,), None)]
    assert [(claim.points, claim.column) for claim in COMPACT_FORM.claims] == claims
    assert [(m.name, m.points, m.scalars, m.challenges) for m in COMPACT_FORM.rounds] == [
        ("trace", POINTS[:3], (), ("alpha", "beta")),
        ("sums", POINTS[3:5], (), ("delta",)),
        ("quotient", POINTS[5:6], (), ("rho",)),
        ("evaluations", (), SCALARS, ("nu",)),
        ("opening", ("opening",), (), ("zeta",)),
        ("final", ("final",), (), ()),
    ]


def column(name: str, origin: Origin = Origin.PROOF) -> Column:
    return Column(name, origin, 1 if origin is Origin.PROOF else 0)


def formed(expression, *columns: Column) -> Form:
    return Form.of(columns, {"one": ("x",)}, expression.evaluate)


def test_forms_of_other_constraints():
    a, b, w = Cell("a"), Cell("b"), Cell("w")
    weights = column("w", Origin.MODEL)
    both = formed(w * b.next + a, column("a"), column("b"), weights)
    assert both.stated == (("b", 1),) and both.scalars == ("b_next", "linearised_next") and both.rotations == (0, 1)
    far = formed(a * Cell("b", 2) * Cell("b", -1) + a, column("a"), column("b"))
    assert far.stated == (("a", 0), ("b", 2))
    assert far.rotations == (0, 2, -1) and far.blinders == 6
    assert far.scalars[-2:] == ("linearised_next2", "linearised_previous")
    assert formed(a * a, column("a")).stated == (("a", 0),) and formed(a + b, column("a"), column("b")).stated == ()
    assert formed(a * b + a * Cell("c"), column("a"), column("b"), column("c")).stated == (("a", 0),)
    with refuses(ValueError, "constraints read cell b (rotation 0), but nothing commits to a column b"):
        formed(a + b, column("a"))
    with refuses(ValueError, "weights are multiplied with weights in [('w', 0)]: neither may be stated"):
        formed(w * w, weights)
    with refuses(ValueError, "two columns have one name among ['a', 'a']"):
        formed(a, column("a"), column("a"))


def test_columns_of_several_polynomials():
    """They are opened last, behind all rotations, and stated behind everything else; they are columns like others in no other way."""
    a, b = Cell("a"), Cell("b")
    several = Column("t", Origin.STATEMENT, components=3)
    found, plain = (Form.of((column("a"), column("b"), *more), {"one": ("x",)}, (a * b + Cell("b", -1)).evaluate) for more in ((several,), ()))
    assert found.scalars == ("a", "linearised_previous", "t_0", "t_1", "t_2") and plain.scalars == found.scalars[:2]
    assert found.components == {"t": 3} and plain.components == {} and found.rotations == plain.rotations == (0, -1)
    assert found.claims == (*plain.claims, Claim((ROOTS,), "t")) and found.blinders == plain.blinders and ROOTS < -(1 << 16)
    assert component_names(several) == ["t_0", "t_1", "t_2"] and component_names(column("a")) == []
    two = Form.of((column("a"), column("b"), several, Column("s", Origin.STATEMENT, components=3)), {"one": ("x",)}, (a * b).evaluate)
    assert two.claims[-2:] == (Claim((ROOTS,), "t"), Claim((ROOTS,), "s"))
    with refuses(ValueError, "columns have different numbers of components: a proof opens those of one number"):
        Form.of((several, Column("s", Origin.STATEMENT, components=2)), {"one": ("x",)}, (a * 0).evaluate)
