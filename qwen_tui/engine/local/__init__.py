"""What runs inside the engine worker: the only place of the program that imports torch."""
