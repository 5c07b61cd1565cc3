"""Writes the taste that ships, `src/trabecula/taste/house.json`: learned from stated rules, and no person's.

Four simulated judges (thick members; few holes; symmetric; all three together) choose twenty times each the
nicest of four designs of two plates, without noise, and count for the same. The same file comes out every
time: `python -m benchmarks.taste_house`.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks import taste
from benchmarks.taste_judges import JUDGES
from trabecula.taste.profile import TasteProfile, average_profiles

FILE = Path(__file__).resolve().parent.parent / "src" / "trabecula" / "taste" / "house.json"
RULES = ("thick", "few holes", "symmetric", "mixed")
PLATES = ("cantilever", "plate")
SEED = 1


def main() -> None:
    """Ask the judges and write the file."""
    judges = [judge for judge in JUDGES if judge.name in RULES]
    way = taste.Way("house", taste.FULL, 4, noise=0.0)
    profiles = []
    for judge in judges:
        picks = [pick for name in PLATES for pick in taste.ask(judge, taste.see(name, SEED), way, SEED)]
        profiles.append(TasteProfile(judge.name, tuple(picks)))
    said = "; ".join(judge.says for judge in judges)
    origin = f"no person's taste: learned from {len(judges)} simulated judges with stated rules ({said})"
    FILE.write_text(average_profiles(profiles, "house", origin).to_text())
    print(f"written: {FILE.name}, {len(judges)} judges, {sum(len(p.picks) for p in profiles)} choices")


if __name__ == "__main__":
    main()
