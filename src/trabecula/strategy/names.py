"""Names of the starts that come with trabecula, for help texts: no import of anything that works."""

BUILT_IN = ("coarse", "learned", "uniform", "classical")
"""In the order of `trabecula.problem.starts.STARTS`, the default first."""

DEFAULT = BUILT_IN[0]
