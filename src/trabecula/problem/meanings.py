"""Words of other tools by what they mean, and the sentence that says the nearest possible way here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """Words that mean one thing, and what says it here.

    Attributes
    ----------
    words
        In small letters, with underscores.
    says
        One sentence without its full stop.
    under
        Keys that the words mean this under, "" for the top of the file; empty: anywhere.
    """

    words: tuple[str, ...]
    says: str
    under: tuple[str, ...] = ()


_GOALS = ("goal", "minimize", "maximize", "limits", "options", "")

MEANINGS = (
    # goals and limits
    Meaning(
        ("mass", "weight", "lightest", "lightweight"),
        "of one material the mass is proportional to the volume: write `goal: {minimize: volume, compliance: "
        "...}`, or limit `volume`",
        _GOALS,
    ),
    Meaning(
        (
            "displacement",
            "deflection",
            "max_displacement",
            "deformation",
            "displacements",
            "maximum_displacement",
        ),
        "a displacement cannot be limited yet: limit the compliance, force times displacement, as "
        "`goal: {minimize: volume, compliance: F*d}` with the displacement d that the force F may cause",
        _GOALS,
    ),
    Meaning(
        (
            "stress",
            "von_mises",
            "max_stress",
            "stress_limit",
            "safety",
            "safety_factor",
            "factor_of_safety",
            "yield",
            "strength",
        ),
        "stresses cannot be minimised or limited yet: limit `volume` or `compliance` and read the largest "
        "stress of the result",
        _GOALS,
    ),
    Meaning(
        ("stiffness", "maximum_stiffness", "strain_energy", "stiffest", "max_stiffness"),
        "the stiffest design is that of least compliance: write `goal: {minimize: compliance, volume: 0.4}`",
        ("goal", "minimize", "maximize", "limits", ""),
    ),
    Meaning(
        ("frequency", "eigenfrequency", "buckling", "modes", "natural_frequency", "eigenvalue"),
        "vibration and buckling are not computed: minimise compliance, which mostly raises both",
        _GOALS,
    ),
    Meaning(
        ("volfrac", "volume_fraction", "vf", "fraction", "mass_fraction", "volumefraction", "max_volume"),
        "write `volume`, a fraction: `goal: {minimize: compliance, volume: 0.4}`",
    ),
    Meaning(
        ("objective", "target", "optimize", "optimise"),
        "write `goal: {minimize: compliance, volume: 0.4}`",
        ("", "goal"),
    ),
    Meaning(
        ("constraint", "constraints"),
        "what is held stands under `supports`, what is limited under `goal`",
        ("",),
    ),
    # making
    Meaning(
        ("overhang", "overhangs", "self_supporting", "overhang_angle", "support_angle", "build_direction"),
        "there is no rule for overhangs yet: print the part lying on a flat side, and raise "
        "`options.filter.radius` for sturdier members",
    ),
    Meaning(
        ("printing", "printer", "print", "manufacture", "manufacturing", "additive", "layer", "am", "slicer"),
        "there are no rules of manufacture yet: the radius of `options.filter` sets the least thickness of "
        "members, and `options.symmetry` mirrors the part",
    ),
    Meaning(
        (
            "minimum_member",
            "min_member",
            "member_size",
            "minimum_thickness",
            "min_thickness",
            "wall_thickness",
            "minimum_size",
            "minimum_length",
            "length_scale",
            "feature_size",
            "minimum_gap",
            "maximum_member",
            "rmin",
        ),
        "the length scale is `options.filter.radius`: members come out about twice as thick as it, seldom "
        "thinner than once",
    ),
    Meaning(
        (
            "extrusion",
            "extrude",
            "casting",
            "draw",
            "draw_direction",
            "milling",
            "cyclic",
            "pattern",
            "sectors",
        ),
        "extrusion, casting and cyclic repetition are not there yet: use a 2-D domain for what is extruded, "
        "and `options: {symmetry: [x]}` for mirrored parts",
    ),
    Meaning(
        ("no_cavities", "cavities", "enclosed_voids"),
        "there is no rule against closed cavities yet: keep a way out free by a region `as: void`",
    ),
    Meaning(
        ("symmetric", "mirror", "symmetries", "symmetry_plane"),
        "write `options: {symmetry: [x]}` to mirror in x",
    ),
    # loads and supports
    Meaning(
        ("moment", "torque", "moments", "couple"),
        "a moment cannot be given yet: write two opposite forces at a distance, each the moment by the "
        "distance, as `force: [0, F]` at one place and `force: [0, -F]` at the other",
    ),
    Meaning(
        ("remote", "remote_force", "at", "coupling", "lever"),
        "a remote force cannot be given yet: add the force where it reaches the part, and its moment as two "
        "opposite forces",
        ("loads",),
    ),
    Meaning(
        ("traction", "line_load", "distributed", "distributed_load", "surface_load"),
        "write `force`, the total that is spread over what is selected, or `pressure` in its unit",
        ("loads", ""),
    ),
    Meaning(
        (
            "magnitude",
            "direction",
            "value",
            "vector",
            "fx",
            "fy",
            "fz",
            "point",
            "node",
            "position",
            "location",
        ),
        "write `where` and one vector, as `{where: {x: 1}, force: [0, -100]}`",
        ("loads",),
    ),
    Meaning(
        ("acceleration", "self_weight", "selfweight", "body_force"),
        "write `- {gravity: [0, -9.81]}` among the loads for the design's own weight",
        ("loads", ""),
    ),
    Meaning(
        ("temperature_load", "flux", "heat_flux"),
        "write `heat`, the total in W, spread over what is selected",
        ("loads",),
    ),
    Meaning(
        ("displacement", "displacements", "prescribed", "prescribed_displacement", "disp"),
        "a support cannot be moved yet: hold it with `fix`, and put the load that goes with the displacement "
        "where it acts",
        ("supports", "loads"),
    ),
    Meaning(
        ("spring", "springs", "elastic", "foundation", "stiffness"),
        "springs cannot be given yet: hold what is stiff with `fix`, or model the soft part as a region "
        "`as: solid` of the domain",
        ("supports", ""),
    ),
    Meaning(
        ("slide", "roller", "frictionless", "normal"),
        "a support slides along what it does not fix: `fix: [y]` holds y alone; slanted planes are not there "
        "yet",
        ("supports",),
    ),
    Meaning(
        ("pin", "pinned", "hinge"), "write `fix: [x, y]` at a single point, which may turn", ("supports",)
    ),
    Meaning(
        ("clamp", "clamped", "fixed", "encastre", "dofs", "dof", "constrain", "held"),
        "write `fix: all`",
        ("supports",),
    ),
    Meaning(
        ("bolt", "bolts", "screw", "screws", "hole", "bolt_hole", "fastener", "bore", "bores"),
        "write `holes: [{at: [...], axis: x, diameter: ..., wall: ..., fix: all}]` at the top of the file: "
        "the bore, material around it, and what the bolt holds (fix) or carries (force)",
    ),
    Meaning(
        (
            "boundary",
            "boundary_conditions",
            "bc",
            "bcs",
            "fixtures",
            "fixture",
            "anchors",
            "fixed",
            "restraints",
        ),
        "what is held stands under `supports`: `- {where: {x: 0}, fix: all}`",
        ("",),
    ),
    Meaning(
        ("forces", "force", "pressure", "gravity"),
        "forces stand under `loads`: `- {where: {x: 1}, force: [0, -100]}`",
        ("",),
    ),
    Meaning(
        ("load_cases", "loadcases", "load_case", "scenarios", "steps"),
        "write `cases: [{name: ..., loads: [...]}]` in place of `loads`",
    ),
    Meaning(("kind", "type"), "write `as: solid` or `as: void`", ("regions",)),
    Meaning(
        ("filled", "full", "material", "keep", "frozen", "1"),
        "write `as: solid`, which stays material",
        ("as",),
    ),
    Meaning(
        ("empty", "hole", "cut", "remove", "keep_out", "keepout", "0"),
        "write `as: void`, which is kept free",
        ("as",),
    ),
    Meaning(("in", "inches", "zoll", '"'), "write `units: inch`", ("units",)),
    Meaning(
        ("centre", "center", "centred", "centered", "middle"),
        "`keep` leaves the part where the file has it, around the origin or not; `corner` moves its box",
        ("origin",),
    ),
    # places
    Meaning(("point", "points", "vertex", "vertices", "node"), "write `nodes: [[x, y]]`", ("where",)),
    Meaning(
        ("edge", "face", "side", "surface", "plane", "line", "boundary"),
        "a side is a plane: write `x: 0`, a part of it `x: 0, y: [0, 0.5]`",
        ("where",),
    ),
    Meaning(
        ("circle", "disc", "disk", "ball", "round"),
        "write `sphere: {center: [...], radius: ...}`; in the plane it is a circle",
        ("where",),
    ),
    Meaning(("d", "dia", "diameter"), "write `radius`, half of it", ("sphere", "cylinder")),
    Meaning(("r", "rad"), "write `radius`", ("sphere", "cylinder")),
    Meaning(
        ("length", "height", "from", "to", "start", "end"),
        "a cylinder has no ends: add a range along its axis, as `{cylinder: {...}, z: [0, 1]}`",
        ("cylinder",),
    ),
    Meaning(("r", "rad", "radius"), "write `diameter`, twice the radius", ("holes",)),
    Meaning(("d", "dia"), "write `diameter`", ("holes",)),
    Meaning(
        ("center", "centre", "position", "pos", "where", "point", "location", "origin"),
        "write `at`, a point of the bore's axis",
        ("holes",),
    ),
    Meaning(("direction", "normal", "along"), "write `axis: x`, y or z", ("holes",)),
    Meaning(("ring", "boss", "washer", "thickness"), "write `wall`, the thickness of the ring", ("holes",)),
    Meaning(
        ("bolt", "screw", "thread", "size", "metric"),
        "write `diameter`: 6.6 mm lets an M6 bolt through, 5.5 mm an M5, 9 mm an M8; for a thread the core's",
        ("holes",),
    ),
    Meaning(
        ("count", "number", "pattern", "spacing", "repeat"),
        "write one entry of `holes` for every hole",
        ("holes",),
    ),
    Meaning(
        ("where", "force", "pressure", "gravity", "heat", "load"),
        "a case holds a list: write `- {name: ..., loads: [{where: ..., force: ...}]}`",
        ("cases",),
    ),
    # the domain
    Meaning(
        (
            "voxel",
            "voxel_size",
            "voxels",
            "mesh_size",
            "element_size",
            "grid",
            "cell_size",
            "h",
            "nelx",
            "nely",
            "nelz",
        ),
        "write `domain: {size: [...], resolution: ...}` with the edge of a voxel, or `elements: [...]`",
        ("domain", ""),
    ),
    Meaning(
        ("stl", "step", "stp", "cad", "file", "geometry", "part", "iges", "obj", "model"),
        "write `domain: {shape: part.stl, resolution: ...}`; other formats must be exported as STL",
        ("domain", ""),
    ),
    Meaning(
        (
            "size",
            "elements",
            "resolution",
            "shape",
            "thickness",
            "dimensions",
            "box",
            "width",
            "height",
            "length",
        ),
        "write `domain: {size: [...], elements: [...]}`",
        ("", "domain"),
    ),
    Meaning(
        ("unit", "length_unit", "unit_system"),
        "write `units: mm` at the top of the file for mm, N and MPa; without it all is SI",
    ),
    Meaning(("scale", "unit", "units", "scaling"), "write `shape: {stl: part.stl, units: mm}`", ("domain",)),
    Meaning(
        (
            "passive",
            "non_design",
            "keep_out",
            "keepout",
            "keep_in",
            "keep",
            "obstacle",
            "obstacles",
            "frozen",
            "solid",
            "void",
        ),
        "write `regions: [{where: ..., as: void}]` to keep a place free, `as: solid` for what must stay",
        ("", "domain", "options"),
    ),
    # material
    Meaning(
        ("e", "modulus", "youngs_modulus", "young_modulus", "elasticity", "emod"),
        "write `young`",
        ("material",),
    ),
    Meaning(("nu", "poissons_ratio", "poisson_ratio", "v"), "write `poisson`", ("material",)),
    Meaning(("rho", "mass_density"), "write `density` in kg/m3", ("material",)),
    Meaning(
        ("sigma_y", "yield_stress", "yield_strength", "strength", "ultimate", "uts", "re", "rp02"),
        "write `yield`",
        ("material",),
    ),
    Meaning(("k", "thermal_conductivity", "lambda"), "write `conductivity`", ("material",)),
    Meaning(
        ("materials", "orthotropic", "anisotropic", "composite"),
        "there is one isotropic material: write `material: steel` or `material: {young: ..., poisson: ...}`",
        ("", "material"),
    ),
    # options
    Meaning(
        (
            "iterations",
            "max_iterations",
            "maxiter",
            "max_iter",
            "iteration",
            "tol",
            "tolerance",
            "threads",
            "start",
            "out",
            "output",
        ),
        "it is no part of the problem: give it to the command line, as "
        "`trabecula solve FILE --iterations 200`",
        ("", "options"),
    ),
    Meaning(("simp", "p", "penal", "penalization", "penalisation"), "write `penalty: 3`", ("options", "")),
    Meaning(("radius", "filter_radius"), "write `options: {filter: {radius: ...}}`", ("options", "")),
    Meaning(
        ("algorithm", "solver", "method", "mma", "oc"), "write `options: {optimizer: mma}`", ("options", "")
    ),
    Meaning(
        ("beta", "heaviside", "crisp", "threshold"), "write `options: {projection: true}`", ("options", "")
    ),
)
"""All of them; the first that fits is taken."""
