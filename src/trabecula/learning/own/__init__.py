"""A network of one's own: the one that ships, its last layers fine-tuned on what was solved on this machine.

`fine_tune` is the whole of it. What it makes is installed only where the solver says that it is better
(`gate`), into the user's folder (`trabecula.surrogate.own`); nothing leaves the machine.
"""
