"""Small invented files of the kinds that strangers ran into, each with what is right for it."""
