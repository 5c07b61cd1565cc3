"""The problem file as a JSON Schema (draft 2020-12): what editors complete and forms are built from.

It is made of the tables and of the classes in them, so that a quantity or a filter that was added stands in
it too. Whatever it refuses the reader refuses; the reader, who sees the whole problem, refuses more.
"""

from __future__ import annotations

from trabecula.problem import materials
from trabecula.problem.design_tables import FILTERS, INTERPOLATIONS, OPTIMIZERS, own_keys
from trabecula.problem.keyed import required_keys
from trabecula.problem.model import AXES, Options
from trabecula.problem.physics import PHYSICS
from trabecula.problem.quantities import QUANTITIES
from trabecula.problem.read import LOADS, MAX_CASES, MAX_ENTRIES, VERSION
from trabecula.problem.read_goal import MAX_LIMITS
from trabecula.problem.schema_parts import (
    WHERE,
    Schema,
    choice,
    exactly_one,
    items,
    join,
    key_schemas,
    mapping,
    notes,
    number,
    or_null,
    table_words,
    text,
    words,
)
from trabecula.problem.schema_where import stl, where
from trabecula.problem.unit_system import UNIT_SYSTEMS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """The JSON Schema of a problem file, with everything that the tables hold now.

    Raises
    ------
    BrokenEntryError
        If a package or a module adds an entry that cannot be loaded.
    """
    loads = items(_load(), 0, MAX_ENTRIES, "loads that act together, of one load case")
    case = mapping(
        {
            "name": text("what results call it; left out, `case 1` and so on"),
            "weight": {**number("its share in the sum of compliances", above=0), "default": 1},
            "loads": loads,
        },
        ("loads",),
    )
    region = mapping(
        {
            "where": {**WHERE, **notes("which elements")},
            "as": words(("solid", "void"), "always material, or never"),
        },
        ("where", "as"),
        "a part of the domain that is not designed; a later one overrules an earlier one",
    )
    top = mapping(
        {
            "trabecula": {"const": VERSION, "description": "version of the format"},
            "name": {**text("what results call it"), "default": "problem"},
            "units": _units(),
            "domain": _domain(),
            "physics": {
                **table_words(PHYSICS, PHYSICS.names()),
                "title": "state equation; left out, the goal chooses it",
            },
            "material": _material(),
            "supports": items(_support(), 0, MAX_ENTRIES, "what is held, or kept at a temperature"),
            "loads": loads,
            "cases": items(case, 1, MAX_CASES, "several load cases, in place of `loads`"),
            "regions": items(region, 0, MAX_ENTRIES, "parts that are not designed"),
            "holes": items(_hole(), 0, MAX_ENTRIES, "holes for bolts"),
            "goal": _goal(),
            "limits": items(_limit(), 0, MAX_LIMITS, "more limits, on any quantities"),
            "options": _options(),
        },
        ("trabecula", "domain", "material", "goal"),
    )
    given = exactly_one(("loads", "cases"))["oneOf"]
    by_bolts = {"required": ["holes"], "not": {"anyOf": given}}
    return {
        "$schema": DIALECT,
        "title": "A design problem of trabecula",
        "description": "All values in SI units, or as `units` says; x right, y up, z towards you.",
        **top,
        "oneOf": [*given, by_bolts],
        "if": {"not": {"required": ["holes"]}},
        "then": {
            "required": ["supports"],
            "properties": {"supports": {"minItems": 1}, "loads": {"minItems": 1}},
        },
        "$defs": {"where": where()},
    }


def _units() -> Schema:
    names = list(UNIT_SYSTEMS)
    both = mapping(
        {
            "numbers": words(names, "of the numbers in this file"),
            "results": words(names, "of what results say"),
        },
        ("numbers", "results"),
    )
    meant = "mm: lengths in mm, forces in N, stresses and moduli in MPa, energies in N mm; all else as in SI"
    return {"anyOf": [{**words(names, meant), "default": "SI"}, both]}


def _hole() -> Schema:
    axes = [*AXES, *(f"{sign}{axis}" for sign in "+-" for axis in AXES)]
    point = items(number("", "m"), 2, 3)
    return mapping(
        {
            "at": point | notes("a point of its axis; of a blind hole its mouth", "m"),
            "axis": or_null(words(axes, "direction of the bore; with a sign, the one that it is drilled in")),
            "diameter": number("of the bore", "m", above=0),
            "wall": or_null({**number("thickness of the ring around it that stays solid", "m", least=0)}),
            "depth": or_null(number("of a blind hole; left out, it goes through everything", "m", above=0)),
            "fix": or_null({"anyOf": [_fix(), {"const": "all"}]} | notes("what the bolt holds")),
            "force": or_null(
                items(number("", "N"), 2, 3) | notes("total force that the bolt carries, in every case", "N")
            ),
        },
        ("at", "diameter"),
        "a bore, a ring of material around it, and what the bolt holds or carries",
    )


def _fix() -> Schema:
    return items(words(AXES), 1, 3, "displacements that are held at zero") | {"uniqueItems": True}


def _domain() -> Schema:
    size = items(number("", "m", least=1e-9, most=1e12), 2, 3, "edge lengths along x, y(, z)")
    corner = items(number("", "m"), 2, 3, "co-ordinates of the lower corner; left out, zero")
    counts = items(number("", "", "integer", least=1, most=1e9), 2, 3, "elements along x, y(, z)")
    whole = mapping(
        {
            "size": or_null(size | {"x-unit": "m"}),
            "elements": or_null(counts),
            "resolution": or_null(number("edge length of an element, in place of `elements`", "m", above=0)),
            "origin": or_null(corner | {"x-unit": "m"}),
            "thickness": or_null({**number("of a plane domain", "m", above=0), "default": 1.0}),
            "shape": or_null(
                stl("STL file of a solid: only inside it is designed; without `size` its box is the domain")
            ),
            "mesh": {"type": "null", "description": "meshes are not read yet; see `shape`"},
        },
        (),
        "the box that is designed: two lengths are plane stress, three a solid",
    )
    return whole | {
        "anyOf": [
            {"required": ["size"], "properties": {"size": {"type": "array"}}},
            {"required": ["shape"], "properties": {"shape": {"not": {"type": "null"}}}},
        ],
        "oneOf": [
            {"required": ["elements"], "properties": {"elements": {"type": "array"}}},
            {"required": ["resolution"], "properties": {"resolution": {"type": "number"}}},
        ],
    }


def _material() -> Schema:
    # The reader takes any case, and hyphens and blanks for underscores.
    letters = ("".join(_letter(c) for c in spelling) for spelling in materials.spellings())
    spelled = {"type": "string", "pattern": rf"^\s*(?:{'|'.join(letters)})\s*$"}
    own = mapping(
        {
            "name": or_null(text("what results call it")),
            "young": or_null(number("Young's modulus", "Pa", above=0)),
            "poisson": or_null({**number("Poisson's ratio", above=-1, below=0.5), "default": 0.3}),
            "density": or_null(number("mass density", "kg/m3", above=0)),
            "yield": or_null(number("yield strength", "Pa", above=0)),
            "conductivity": or_null(number("thermal conductivity", "W/(m K)", above=0)),
        },
        (),
        "a material of your own",
    )
    return {"anyOf": [words(materials.names(), "textbook values at room temperature"), spelled, own]}


def _letter(c: str) -> str:
    if c == "_":
        return "[-_ ]"
    return f"[{c}{c.upper()}]" if c.isalpha() else c


def _support() -> Schema:
    whole = mapping(
        {
            "where": {**WHERE, **notes("which nodes")},
            "fix": {"anyOf": [_fix(), {"const": "all"}], **notes("displacements that are held at zero")},
            "temperature": number("that is kept; only differences count", "K"),
        },
        ("where",),
    )
    return whole | exactly_one(("fix", "temperature"))


def _load() -> Schema:
    def vector(description: str, unit: str) -> Schema:
        return items(number("", unit), 2, 3) | notes(description, unit)

    kinds = {
        "force": vector("total force along x, y(, z), spread over what is selected", "N"),
        "pressure": number("pushes into the surface that is selected", "Pa"),
        "gravity": vector("acceleration: the design carries its own weight", "m/s2"),
        "heat": number("total heat, spread over what is selected", "W"),
    }
    assert tuple(kinds) == LOADS
    place = {**WHERE, **notes("where it acts; left out beside gravity")}
    return mapping({"where": place, **kinds}) | exactly_one(LOADS)


def _goal() -> Schema:
    names = QUANTITIES.names()
    named = table_words(QUANTITIES, names)
    positive = number("", "J", above=0)
    own = {name: key_schemas(QUANTITIES[name]) for name in names}
    volume = number("fraction of the domain that may be filled", above=0, most=1)
    compliance = {
        "anyOf": [positive, items(positive, 1)],
        **notes("where the volume is minimised: what is allowed, or one value for each load case", "J"),
    }
    plain: dict[str, Schema] = {
        "minimize": {**named, "title": "what is minimised"},
        "maximize": {**named, "title": "what is maximised, in place of minimize"},
        "volume": volume,
        "compliance": compliance,
    }
    further = {key: one for key, one in join(own.values()).items() if key not in plain}
    whole = mapping({key: or_null(one) for key, one in {**plain, **further}.items()})
    conditions = [
        {
            "if": {"properties": {verb: {"const": name}}, "required": [verb]},
            "then": {
                "properties": {key: or_null(one) for key, one in own[name].items()},
                "propertyNames": {"enum": [*plain, *own[name]]},
                "required": list(required_keys(QUANTITIES[name])),
            },
        }
        for name in names
        for verb in ("minimize", "maximize")
    ]
    one_of = [
        {"required": [verb], "properties": {verb: {"type": "string"}}} for verb in ("minimize", "maximize")
    ]
    return {**whole, "oneOf": one_of, "allOf": conditions}


def _limit() -> Schema:
    sense = {**words(("at_most", "at_least"), "on which side it may be"), "default": "at_most"}
    every = []
    for name in QUANTITIES.names():
        quantity = QUANTITIES[name]
        unit = getattr(quantity, "unit", "")
        value = {**number(QUANTITIES.description(name), unit), "not": {"const": 0}}
        own = key_schemas(quantity)
        every.append(
            mapping({name: value, "sense": sense, **own}, (name, *required_keys(quantity)))
            | {"title": f"a limit on {name}"}
        )
    return {"oneOf": every}


def _options() -> Schema:
    def keys(table: object, name: str) -> list[str]:
        return list(own_keys(table[name]))  # type: ignore[index]

    plain = Options()
    filters, interpolations, optimizers = (
        {name: keys(table, name) for name in table.names()} for table in (FILTERS, INTERPOLATIONS, OPTIMIZERS)
    )
    symmetry = items(words(AXES), 0, 3, "planes across these axes, in the middle, mirror the design")
    properties = {
        "penalty": number("exponent of the stiffness; 1 has no penalty", least=1.0, most=10.0),
        "interpolation": {
            **choice(INTERPOLATIONS, interpolations),
            "title": "how stiff a grey element is; left out, simp, or ramp where own weight acts",
        },
        "filter": {**choice(FILTERS, filters, "density"), "title": "what gives the design a length scale"},
        "projection": {
            "type": "boolean",
            **notes("sharpen the design to black and white; left out, true, but for penalty 1"),
        },
        "symmetry": symmetry | {"uniqueItems": True},
        "minimum_stiffness": number("of void, relative to solid", least=1e-12, most=0.1),
        "optimizer": {
            **choice(OPTIMIZERS, optimizers),
            "title": "what takes the steps; left out, oc where it applies, else mma",
        },
        "move": number("largest change of a density in one iteration", least=1e-3, most=1.0),
        "seed": number("of random proposals", "", "integer", least=0, most=2**31 - 1),
    }
    for name in ("penalty", "minimum_stiffness", "move", "seed"):
        properties[name]["default"] = getattr(plain, name)
    return mapping(
        {key: or_null(one) for key, one in properties.items()},
        (),
        "how the design is described and changed; null and what is left out are measured defaults",
    )
