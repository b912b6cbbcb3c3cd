"""Small parts that any room may use; none of them knows another room."""
