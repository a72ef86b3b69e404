"""Files like those of public reports: each is held to the result that is right."""
