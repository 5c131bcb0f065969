"""Everything in one encrypted file each day, kept in two places, and restored each week to prove it (R-116,
R-117, V-12).

pack     the file: a tar in small pieces inside age; the plain text of it is nowhere on a disk
sources  what a database gives: SQLite's online copy, or pg_dump
files    what is beside the backups: the files of archived chats, copied once each
keep     the stores, names, and what is thrown away when
making   one backup, and the record of it
restoring   into an empty database
proving  into a scratch database
state    what is wrong, in words and in figures
"""
