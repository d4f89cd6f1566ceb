"""What the program promises when it is killed, raced, searched, cut from power, or out of disk. Real processes, POSIX.

`runner.py` is the program with a fault built in; `shim.c` stands between it and the disk; `room.py` is a session with
people in it; `disk.py` rebuilds what a power cut leaves.
"""
