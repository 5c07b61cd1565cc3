"""WHAT COMES OUT: the design, how it was reached and what is proven of it; saved and loaded."""
