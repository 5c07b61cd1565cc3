"""Files on disk: how they are written so that nothing is lost, and read so that nothing is trusted."""
