"""A person's taste: learned from choices among the designs of galleries, private, and kept out of proofs."""
