"""One reply: from a request to its events and its receipt, and what is read ahead of the next one."""
