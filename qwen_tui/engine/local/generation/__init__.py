"""Generate one reply, from a request to its events and receipt, and read ahead for the next one."""
