"""Small files of the kinds that people reported, each with the result that is right for it."""
