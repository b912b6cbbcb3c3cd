"""The subcommands, one file or package each."""
