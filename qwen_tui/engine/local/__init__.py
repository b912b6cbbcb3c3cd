"""Code that runs inside the engine worker: the only part of the program that imports torch."""
