"""Files of kinds that went wrong for somebody, with the command and the result that is right."""
