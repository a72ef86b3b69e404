"""The command line: options -> config -> one library call -> show."""
