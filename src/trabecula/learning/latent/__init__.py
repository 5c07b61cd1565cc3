"""The auto-encoder of designs, trained and shipped; `trabecula.surrogate.Latent` is it at work."""
