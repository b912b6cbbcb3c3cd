"""Looking inside replies: comparing the variants of one."""
