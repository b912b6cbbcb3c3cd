"""The middle of the screen: the shown conversation, switching to another, and notices about turns."""
