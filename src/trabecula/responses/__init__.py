"""WHAT IS MEASURED: goals and limits, each with its value and its sensitivity side by side."""

from trabecula.responses.goal import Compliance, Formulation, Goal, Limited, Response, Volume, formulate

__all__ = ["Compliance", "Formulation", "Goal", "Limited", "Response", "Volume", "formulate"]
