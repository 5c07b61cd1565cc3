"""What Python asks of the compiled core before it chooses among its instruction sets."""

def instruction_sets() -> list[str]:
    """Instruction sets this processor has, best first."""
