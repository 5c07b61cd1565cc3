"""Which page of docs/measured shows which results, and which eight figures the README shows."""

from __future__ import annotations

from dataclasses import dataclass

Named = tuple[str, str]
"""A figure: the results file without its ending, and what the figure says it measures."""


@dataclass(frozen=True)
class Note:
    """Stands for the note that a figure carries."""

    figure: Named


@dataclass(frozen=True)
class Page:
    """A page of docs/measured.

    Attributes
    ----------
    name
        Of the page and, as a rule, of the benchmark.
    title
        Its heading.
    results
        Files of benchmarks/results it is written from, without their ending.
    headline
        What the figures say they measure that stand for the page on the index.
    reading
        What has to be said beside the figures: why some are missed, and where the decision is told. Markdown.
    """

    name: str
    title: str
    results: tuple[str, ...]
    headline: tuple[str, ...]
    reading: str = ""


@dataclass(frozen=True)
class Headline:
    """A figure of the README.

    Attributes
    ----------
    figure
        Which one.
    says
        What it measures, in the words of the README.
    beside
        Words, figures and notes of figures, said beside it: what else was found, above all what was missed.
    """

    figure: Named
    says: str
    beside: tuple[str | Named | Note, ...] = ()


_MILLION = "cantilever 160x80x80"
_AGAINST_DEFAULT = "wall time against the strongest way without networks (S: default), 3-D, to {}, median"
_GAP: Named = ("crisp", "gap to the lower bound, median")
_TIME: Named = ("crisp", "time with projection, of that without, median")
_STIFFER: Named = (
    "crisp", "part more compliant than that of the grey design, worst of the named problems"
)  # fmt: skip

HEADLINES = (
    Headline(
        ("crisp", "reported compliance off that of the part, median"),
        "reported compliance against that of the finished part, median of named and random problems",
        ("worst", ("crisp", "reported compliance off that of the part, worst")),
    ),
    Headline(_GAP, "gap to the global lower bound, median", (Note(_GAP),)),
    Headline(
        ("crisp", "KKT residual, median"),
        "how far designs are from stationary (KKT residual), median",
        ("worst", ("crisp", "KKT residual, worst")),
    ),
    Headline(_TIME, "time of a crisp solve, of a grey one's, median", (Note(_TIME),)),
    Headline(
        _STIFFER,
        "finished part more compliant than that of a grey design, worst of the named problems",
        (Note(_STIFFER), "; certified, of all:", ("crisp", "certified, of all")),
    ),
    Headline(
        ("peers", "design iteration against pymoto 2.0.1, 48x24x24"),
        "one design iteration against pyMOTO 2.0.1, solid of 48x24x24, times faster",
        ("against pytopo3d 0.3.0:", ("peers", "design iteration against pytopo3d 0.3.0, 48x24x24")),
    ),
    Headline(
        ("multigrid", "growth of CG iterations, power law through all sizes"),
        "growth of the solver's iterations from 28 thousand to 4 million elements",
        ("at most", ("multigrid", "most CG iterations to 1e-5 on optimised cantilevers"),
         "iterations to 1e-5; on designs that are still forming",
         ("multigrid", "the same on the way, as members come loose")),
    ),
    Headline(
        ("optima", "default above the best known, median"),
        "compliance above the best that any of seven methods found, without projection, median of 38",
        ("worst", ("optima", "default above the best known, worst"), "; above the cold start at worst",
         ("optima", "default above the usual cold start after 100 iterations, worst")),
    ),
)  # fmt: skip

PAGES = (
    Page(
        "file_to_design",
        "From a problem file to a certified design",
        ("file_to_design",),
        (f"from file to certified design, {_MILLION}", f"peak memory, {_MILLION}"),
        "Measured before designs were projected by default. *Default* is `--start coarse`, *cold* the usual"
        " start from uniform grey on one grid. In the"
        " plane the cold start is as quick as the default and ends nearly as stiff; in 3-D it is not.",
    ),
    Page(
        "instant",
        "Small problems from command to result",
        ("instant",),
        ("from command to result, MBB 120x40", "from command to result, cantilever 48x24x24"),
        "Seconds of a whole process. *Start* ends where the solve begins; about half of it is the import of"
        " Typer with pydantic, and of NumPy. In solids more than half of the fine grid is the candidate that"
        " begins there, and the first design ([what each is worth](../decisions/way.md)).",
    ),
    Page(
        "crisp",
        "With projection against without",
        ("crisp",),
        ("time with projection, of that without, median",
         "reported compliance off that of the part, worst"),
        "Both ways are measured by their finished parts: solid or void, the same volume, solved once more."
        " Trees of conductors end with a higher penalty ([why, and what was tried](../decisions/crisp.md)).",
    ),
    Page(
        "gallery",
        "Many good designs",
        ("gallery",),
        ("different designs within 3 %, plates, median", "different designs within 5 %, solids, median"),
        "The default was measured so far on five of the twelve problems; the next call goes on."
        " Small problems have few designs that differ this much and are this good: the plain control, 24"
        " random fields on the full grid, is given beside each figure"
        " ([what was tried](../decisions/gallery.md)).",
    ),
    Page(
        "searches",
        "The search for projected designs against that for grey ones",
        ("searches",),
        ("work, of the other search's, median", "compliance against the other search's, median"),
        "Both searches solve the same projected problems. Taken before solids of two grids began once more on"
        " the finest grid, which makes them stiffer for more work. [What was tried](../decisions/way.md).",
    ),
    Page(
        "sooner",
        "How soon a finished design is there",
        ("sooner",),
        ("default, plates: sooner as stiff as classical, in work, median",
         "default, solids: sooner as stiff as classical, in work, median"),
        "All ways are projected to black and white. What never has a design as stiff counts as 0. A classical"
        " run's last iterations change little and take half as long as others, so that the gain in time is"
        " less than in work. Taken before the present search of projected designs. Solids were not all run,"
        " nor was the learned start. Torsion, whose closed walls"
        " are thinner than a coarse grid's voxels, is never as stiff at 48x24x24, and late at 96x48x48."
        " [What was tried, and what it costs](../decisions/sooner.md)",
    ),
    Page(
        "projections",
        "Ways to black and white",
        ("projections",),
        ("part of SSP2 more compliant than that of tanh, median",
         "named heat sinks, penalty 8: reported off their part, worst"),
        "*tanh* is the way of the package, *SSP* and *SSP2* the subpixel-smoothed projections of first and"
        " second order. Their parts are a thousandth stiffer, after twice the iterations and less near to"
        " stationary. [The decision](../decisions/crisp.md)",
    ),
    Page(
        "taste",
        "What a person likes",
        ("taste",),
        ("first of 60 in the judge's own tenth, model, four at a time",
         "first of 60 in the judge's own tenth, model, pairs"),
        "Judges are simulated and their rules stated, most of them in the features that the model sees too."
        " Where many designs tie for a judge's first tenth all of them count, so that a random pick hits in"
        " more than 10 %; *untied* are the runs without such ties. *Favourite* likes designs"
        " the better the more voxels they share with one design, which no feature measures; *two minds*"
        " answers by one of two rules, drawn anew every time. *Across* ranks the designs of another problem"
        " than was asked on"
        " ([what was tried](../decisions/taste.md)).",
    ),
    Page(
        "hybrid",
        "The learned start against every other way",
        ("hybrid",),
        (_AGAINST_DEFAULT.format("1 %"), _AGAINST_DEFAULT.format("0.1 %")),
        "P is what people use, C continuation on one grid, S our own solver without networks (the better"
        " of three hand-overs in hindsight), N an unlearned search that a network claims to replace. **∞"
        " means that the other never arrives** on half of the problems or more; the note of the figure"
        " says on how many, and what the factor is with all the time it was given. The learned start is"
        " nearly twice as quick as the default to within 1 % of the better end, and *slower* to within 0.1"
        " %, where the better end is mostly the search's; it saves less of the finest grid's iterations"
        " than was asked for, and on three problems in ten it is slower. So the default stays `--start"
        " coarse`. [Learned starts](../learned.md) · [why the networks are used as they"
        " are](../decisions/proposer.md) · [the unlearned searches](../decisions/baselines.md)",
    ),
    Page(
        "optima",
        "How good the optimum is",
        ("optima",),
        ("default above the best known, median", "default above the best known, worst"),
        "The best known is the best that any of the methods ever found. Two things are missed. The"
        " default can end a little above the cold start. And a cold start's compliance is not reached in a"
        " tenth of its wall time, for the search on the coarse grids takes as long as it takes, and the"
        " cold start has the same kernels ([the measurements](../decisions/way.md)).",
    ),
    Page(
        "iteration",
        "One design iteration",
        ("iteration",),
        ("seconds per design iteration, 96x48x48, solves to 1e-3",
         "seconds per iteration grow with elements to the power of"),
    ),
    Page(
        "peers",
        "Against other programs",
        ("peers",),
        ("design iteration against pymoto 2.0.1, 48x24x24",
         "design iteration against pytopo3d 0.3.0, 48x24x24"),
        "Installed from the package index as they are, the same problem, the same filter, their default"
        " solvers.",
    ),
    Page(
        "multigrid",
        "Solver iterations",
        ("multigrid",),
        ("growth of CG iterations, power law through all sizes",
         "most CG iterations on odd grids, odd supports and other problems"),
        "[Why moments and a W-cycle](../decisions/multigrid.md)",
    ),
    Page(
        "kernels",
        "The compiled loops",
        ("kernels",),
        ("float32 product K u on 1 thread, 96x48x48",),
    ),
    Page(
        "threads",
        "Threads on a busy machine",
        ("threads",),
        ("busy, 96x48x48: 2 threads against 1",),
        "Two threads beside two programs that spin. A ratio below 1 is no gain of the method: two threads"
        " get two shares of the processors. What a second thread gains on a quiet machine is measured by"
        " the same command without `--only busy`. [Why the threads are our own](../decisions/threads.md)",
    ),
    Page(
        "estimates",
        "Time and memory said beforehand",
        ("estimates",),
        ("time said within a factor of two (19 problems)",
         "memory said within a factor of two (19 problems)"),
    ),
    Page(
        "shares",
        "How loads are shared and balanced",
        ("shares",),
        ("largest distance of a rim's load from its axis", "largest residual of the multigrid, corrected"),
        "[How loads are shared, and why displacements are pairs of doubles](../decisions/loads.md)",
    ),
    Page(
        "surface_reanalysis",
        "Exported surfaces, meshed and analysed again",
        ("surface_reanalysis",),
        ("compliance of the surface off the part's, loads spread, three voxels or more, worst",),
        "Compliances in per cent of the part's, by quadratic elements on a mesh that fits the surface; voxels"
        " are the part's own voxels, each split in two along every axis. Every row is kept and measured once."
        " [Where the differences come from](../decisions/surface.md)",
    ),
    Page(
        "mirrored",
        "A problem and its mirror image",
        ("mirrored",),
        ("farthest apart, --start coarse",),
        "Nothing is asked for: a mirrored problem has the same optima and need not end in the same one"
        " ([why](../theory.md#from-many-optima-to-a-good-one)).",
    ),
    Page(
        "protocol",
        "By the protocol of published networks",
        ("protocol",),
        ("coarse, 64x64: median error after 5 steps", "coarse, 256x256: median error after 5 steps"),
        "Errors against the same reference, after the same five steps, as NITO and TopoDiff report them,"
        " for starts without any network. Figures of others are quoted and were not run here; their"
        " problems are not these.",
    ),
    Page(
        "scouts",
        "A network's design ahead of the search",
        ("scouts-3d", "scouts-2d"),
        ("drawn ahead, 3-D: wall time of the default to 1 %, median",
         "drawn ahead, 3-D: not slower than 0.95x to 1 %"),
        "In 3-D every gain asked for is met in the median, and 91 % of the problems are not slower where"
        " 95 % were asked for. Any start that goes ahead is about as quick; what the network adds is a"
        " better end and fewer problems on which it was for nothing. In 2-D what is drawn is no better"
        " than a penalty ramp, so no network ships there. [The decision](../decisions/proposer.md)",
    ),
    Page(
        "candidate",
        "One network in whole solves",
        ("candidate-corrector-3d", "candidate-corrector-2d", "candidate-leap-3d"),
        ("corrector-3d: times fewer iterations to 1 %, median",
         "leap-3d: times fewer iterations to 1 %, median"),
        "The upscaling network (*corrector*) saves a fifth of the iterations, as a shorter ramp without a"
        " network does; the one for the plane ends a little less stiff and does not ship; the"
        " extrapolation network (*leap*) saves nothing and does not ship. [The"
        " decision](../decisions/hybrid.md)",
    ),
    Page(
        "proposer",
        "What a network draws as a start",
        ("proposer",),
        ("above the best known, best of 1 drawn to best of 1 random fields, as large as those trained on",
         "above the best known, best of 4 drawn to best of 4 random fields, as large as those trained on"),
        "One drawn start is better than one random field. Several drawn ones are too much alike: at the"
        " size that was trained on, the best of two and of four random fields are better. [The"
        " decision](../decisions/proposer.md)",
    ),
    Page(
        "ablation",
        "What limits the upscaling network",
        ("ablation",),
        ("corrector, as it ships: solves to 1 % of the same hand-over without it, mean",),
        "A factor below 1 says that the network takes more solves than the same hand-over without it."
        " [The decision](../decisions/hybrid.md#what-limits-the-corrector-not-its-data)",
    ),
    Page(
        "efficiency",
        "A small network in place of a big one",
        ("efficiency",),
        ("student: quicker than the teacher, one thread",
         "student: solves more than the teacher's to 0.5 %, median of the differences"),
        "The student loses nothing to within 1 % and one solve in the median to within 0.5 %. It does not"
        " ship: a call of 9 ms is one per cent of the solve it stands in. [The"
        " decision](../decisions/distillation.md)",
    ),
    Page(
        "distillation",
        "Nine methods of distillation",
        ("distillation",),
        ("best distilled student better than alone, pictures",
         "methods of nine better than alone in the mean, pictures"),
        "[Five questions and their answers](../decisions/distillation.md)",
    ),
    Page(
        "latent",
        "Designs as a few numbers",
        ("latent",),
        ("3-D Dice", "3-D recall among other problems' designs"),
        "[The decision](../decisions/latent.md)",
    ),
    Page(
        "graph",
        "Graph networks without waste",
        ("graph",),
        ("inference, factorised and in chunks", "peak memory of inference, the same"),
        "[How](../guide/graphs.md#why-it-is-quick)",
    ),
)  # fmt: skip
