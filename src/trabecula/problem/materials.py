"""Materials by name: textbook values at room temperature, SI units; a data sheet always knows better.

Sources
-------
steel
    S235 structural steel, EN 1993-1-1:2005, 3.2.6 (E 210 GPa, nu 0.3) and table 3.1 (yield 235 MPa);
    conductivity of carbon steel at 20 C, EN 1993-1-2:2005, 3.4.1.3 (54 - 0.0333 T).
stainless_steel
    1.4301 (AISI 304), EN 10088-1:2014, annex E (E 200 GPa, 7900 kg/m3, 15 W/(m K)); EN 10088-2 (yield 210
    MPa).
aluminium
    EN AW-6061-T6: MatWeb / Aluminum Association, Aluminum Standards and Data (E 68.9 GPa, nu 0.33, 2700
    kg/m3, yield 276 MPa, 167 W/(m K)).
titanium
    Ti-6Al-4V, annealed: MIL-HDBK-5J, table 5.4.1 (E 113.8 GPa, nu 0.342, 4430 kg/m3, yield 880 MPa, 6.7 W/(m
    K)).
copper
    Pure, annealed: CRC Handbook of Chemistry and Physics (E 117 GPa, nu 0.34, 8960 kg/m3, 401 W/(m K)); yield
    33 MPa.
pla
    Printed polylactide, in the layer: Farah, Anderson, Langer 2016, Adv. Drug Deliv. Rev. 107, 367
    (E 3.5 GPa, nu 0.36, 1240 kg/m3, yield 50 MPa, 0.13 W/(m K)). Across the layers it is weaker.
abs
    Printed ABS, in the layer: CES EduPack / Ashby, Materials Selection in Mechanical Design
    (E 2.2 GPa, nu 0.37, 1040 kg/m3, yield 40 MPa, 0.18 W/(m K)).
nylon
    Laser-sintered PA 12: EOS PA 2200 data sheet (E 1.65 GPa, 930 kg/m3, 48 MPa, 0.14 W/(m K)); nu 0.4.
bone
    Human cortical bone, along the shaft: Reilly and Burstein 1975, J. Biomech. 8, 393 (E 17 GPa); Cowin 2001,
    Bone Mechanics Handbook (nu 0.3, 1900 kg/m3, yield about 115 MPa in tension); conductivity 0.32 W/(m K),
    Feldmann et al. 2018, Int. J. Hyperthermia 34, 1.
concrete
    C30/37, uncracked: EN 1992-1-1:2004, table 3.1 (E 33 GPa, nu 0.2), 2400 kg/m3, 1.6 W/(m K). No yield: it
    cracks.
wood
    Spruce C24 along the grain, taken as isotropic: EN 338:2016 (E 11 GPa, 420 kg/m3, bending 24 MPa), 0.13
    W/(m K); nu 0.35.
"""

from __future__ import annotations

from trabecula.problem.model import Material

MATERIALS: dict[str, Material] = {
    material.name: material
    for material in (
        Material(210.0e9, 0.3, 7850.0, 235.0e6, 53.3, "steel"),
        Material(200.0e9, 0.3, 7900.0, 210.0e6, 15.0, "stainless_steel"),
        Material(68.9e9, 0.33, 2700.0, 276.0e6, 167.0, "aluminium"),
        Material(113.8e9, 0.342, 4430.0, 880.0e6, 6.7, "titanium"),
        Material(117.0e9, 0.34, 8960.0, 33.0e6, 401.0, "copper"),
        Material(3.5e9, 0.36, 1240.0, 50.0e6, 0.13, "pla"),
        Material(2.2e9, 0.37, 1040.0, 40.0e6, 0.18, "abs"),
        Material(1.65e9, 0.4, 930.0, 48.0e6, 0.14, "nylon"),
        Material(17.0e9, 0.3, 1900.0, 115.0e6, 0.32, "bone"),
        Material(33.0e9, 0.2, 2400.0, None, 1.6, "concrete"),
        Material(11.0e9, 0.35, 420.0, 24.0e6, 0.13, "wood"),
    )
    if material.name is not None
}

_SAME = {"aluminum": "aluminium", "stainless": "stainless_steel", "cortical_bone": "bone", "pa12": "nylon"}


def names() -> tuple[str, ...]:
    """The known names, in the order they are listed to users."""
    return tuple(MATERIALS)


def spellings() -> tuple[str, ...]:
    """All names that `find` knows, in small letters and with underscores."""
    return (*MATERIALS, *_SAME)


def find(name: str) -> Material | None:
    """The material of that name (capitals, hyphens and American spelling do not matter), or None."""
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    return MATERIALS.get(_SAME.get(key, key))
