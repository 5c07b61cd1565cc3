"""How the networks for designs come to be: generated data, training, history, evaluation (extra `learn`)."""
