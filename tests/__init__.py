"""Tests: a mirror of lstmcast/, file by file, plus whole-program tests in cli/ and faults/."""
