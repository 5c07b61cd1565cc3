"""Networks for designs at work: the features they see, the models that ship, and how they are run."""
