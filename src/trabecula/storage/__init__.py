"""Files on disk: how they are written so that nothing is lost, and read so that nothing is trusted.

`reading` looks before it takes memory, `writing` writes whole or not at all. A folder that files of ours go
into is held (`owned.hold`): `lock` keeps others out of it, and `mark` is the file in it that says which files
are ours, so that nothing of anybody else is ever overwritten or removed. `folders` does the same for whole
folders, `database` for SQLite.
"""
