"""The command line: a file for each command, `main` to find it, and what commands share."""
