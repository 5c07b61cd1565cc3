"""THE WAY THERE: from a problem to a design, over one grid or several, and from the design to its proof."""
