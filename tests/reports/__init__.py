"""Files of kinds that went wrong for somebody, each with the command and the result that is right."""
