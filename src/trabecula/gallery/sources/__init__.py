"""Sources of different designs, one file each."""
