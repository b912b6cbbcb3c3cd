"""What happens to the terminal before and after Textual has it."""
