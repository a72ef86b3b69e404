"""Small files made after public reports: each command now gives the right result."""
