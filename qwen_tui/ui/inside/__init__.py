"""The view inside: prompt, sampling, branches, certainty and memory of the model; comparing; lessons."""
