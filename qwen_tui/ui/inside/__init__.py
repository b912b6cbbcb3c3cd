"""The view inside: prompt, sampling, branches and certainty of the model, on the conversation shown; lessons."""
